"""Training refuses on a leak, looks at no later part, shows what was allowed; the gate asks again."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from features.choosing import choose_features
from features.crm import NamedReason
from features.errors import InputError
from features.leakage.guard import inspect
from features.tables import CanonicalTables
from tests.builders_training import NOW, crm_tables, learnable_crm, silent
from training.evaluation import evaluate
from training.leakage import leaks_of_features, refuse_leaks
from training.model_card import write_card
from training.recipe import PreparedData, fit_model, prepare
from training.run_facts import TrainedModel, manifest_facts, training_record
from training.splits import split_leads

HORIZON = 30


def with_column(crm: CanonicalTables, name: str, values: Sequence[str | None]) -> CanonicalTables:
    """Add a text attribute."""
    return replace(crm, leads=crm.leads.append_column(name, pa.array(values, pa.string())))


def outcomes(crm: CanonicalTables) -> list[str | None]:
    """Return what became of each lead, as a CRM would write it beside the lead."""
    ends = dict(zip(crm.deals["lead_id"].to_pylist(), crm.deals["outcome"].to_pylist(), strict=True))
    return [ends.get(lead_id) for lead_id in crm.leads["lead_id"].to_pylist()]


def leaky_crm() -> CanonicalTables:
    """Return a year of leads with two columns that are written when a lead is closed."""
    crm = learnable_crm(n_leads=1200)
    ends = outcomes(crm)
    crm = with_column(crm, "Why not", ["too dear" if each == "lost" else None for each in ends])
    return with_column(crm, "kind", ["customer" if each == "won" else "prospect" for each in ends])


def with_lists(
    crm: CanonicalTables, *, never: tuple[NamedReason, ...] = (), allow: tuple[NamedReason, ...] = ()
) -> CanonicalTables:
    """Return the CRM with other lists in its crm.toml."""
    return replace(crm, crm=replace(crm.crm, never=never, allow=allow))


WHY_NOT = NamedReason(column="Why not", reason="asked in the first form")
KIND = NamedReason(column="kind", reason="written when won")


@pytest.fixture(scope="module")
def leaky() -> CanonicalTables:
    """Return the leaky CRM."""
    return leaky_crm()


@pytest.fixture(scope="module")
def settled(leaky: CanonicalTables) -> PreparedData:
    """Return what training makes of it when one column is allowed and the other never used."""
    return prepare(with_lists(leaky, never=(KIND,), allow=(WHY_NOT,)), horizon_days=HORIZON)


def test_training_refuses_with_every_error_at_once(leaky: CanonicalTables) -> None:
    """Each with its numbers and the line for crm.toml; the sentence says that the import is run again."""
    with pytest.raises(InputError, match="refuses because of 'Why not', 'kind'") as refused:
        prepare(leaky, horizon_days=HORIZON)
    assert "run `leadpact import` on your newest export again" in refused.value.summary
    lines = [problem.text() for problem in refused.value.problems]
    assert any("'kind' alone tells won leads from others: AUC 1.00 over" in line for line in lines)
    assert any(
        '"Why not" = "reason" under [attributes.never] or [attributes.allow]' in line for line in lines
    )


def test_a_settled_leak_stops_nobody(settled: PreparedData) -> None:
    """Never: no feature and not judged. Allow: a feature, and every finding about it says why."""
    attributes = {each.attribute for each in settled.feature_set.features}
    assert "Why not" in attributes
    assert "kind" not in attributes
    about = {each.code: each.allowed for each in settled.findings if each.column == "Why not"}
    assert about["filled-only-when-closed"] == WHY_NOT.reason
    assert {each.code for each in settled.findings if each.column == "kind"} == {"denied-never"}


def test_what_was_allowed_is_on_the_card_and_in_the_run(
    leaky: CanonicalTables, settled: PreparedData
) -> None:
    """Nobody has to remember it: the model card and leakage.json say it with its reason."""
    crm = with_lists(leaky, never=(KIND,), allow=(WHY_NOT,))
    fitted = fit_model(crm, settled, horizon_days=HORIZON, seed=0, progress=silent)
    evaluation = evaluate(fitted.scored, seed=0)
    card = write_card(
        crm_name="test", horizon_days=HORIZON, data=settled, fitted=fitted, evaluation=evaluation
    )
    assert "allowed in crm.toml: asked in the first form [filled-only-when-closed]" in card
    trained = TrainedModel(
        tables=crm, data=settled, fitted=fitted, evaluation=evaluation, horizon_days=HORIZON, seed=0
    )
    facts = manifest_facts(trained, now=NOW)
    record = training_record(trained, facts, folder=Path("unused"), card=card, parent_run_id=None)
    (file,) = (file for file in record.files if file.path == "leakage.json")
    assert b'"allowed": "asked in the first form"' in file.content


def test_a_card_without_findings_says_so() -> None:
    """An empty list would look like something forgotten."""
    crm = learnable_crm(n_leads=600)
    data = prepare(crm, horizon_days=HORIZON)
    assert data.findings == ()
    fitted = fit_model(crm, data, horizon_days=HORIZON, seed=0, progress=silent)
    card = write_card(
        crm_name="test",
        horizon_days=HORIZON,
        data=data,
        fitted=fitted,
        evaluation=evaluate(fitted.scored, seed=0),
    )
    assert "Nothing but what its notes say" in card


def test_the_check_sees_the_training_part_only() -> None:
    """A column that gives away newer leads only does not stop the training, but the promotion."""
    crm = learnable_crm(n_leads=1200)
    split = split_leads(crm, horizon_days=HORIZON)
    taught = set(split.train.lead_index.tolist())
    late = [
        "told" if each == "won" and lead not in taught else "?" for lead, each in enumerate(outcomes(crm))
    ]
    leaking_later = with_column(crm, "kind", late)
    assert not any(each.refuses for each in refuse_leaks(leaking_later, split.train))
    today = inspect(leaking_later, known_until_us=crm.known_until_us)
    assert {each.code for each in today.findings} == {"filled-only-when-closed"}


def test_outcomes_after_the_cut_off_change_no_finding(leaky: CanonicalTables) -> None:
    """Flip every deal that closed later: the findings about the training part stay, to the last number."""
    crm = with_lists(leaky, never=(KIND,), allow=(WHY_NOT,))
    part = split_leads(crm, horizon_days=HORIZON).train
    assert part.known_until_us is not None
    closed_us = np.asarray(crm.deals["closed_at"].cast(pa.int64()), dtype=np.int64)
    flipped = [
        ("lost" if outcome == "won" else "won") if closed > part.known_until_us else outcome
        for closed, outcome in zip(closed_us, crm.deals["outcome"].to_pylist(), strict=True)
    ]
    place = crm.deals.schema.get_field_index("outcome")
    later = replace(crm, deals=crm.deals.set_column(place, "outcome", pa.array(flipped, pa.string())))
    assert flipped != crm.deals["outcome"].to_pylist()
    assert refuse_leaks(later, part) == refuse_leaks(crm, part)


def test_the_gate_asks_about_the_attributes_of_the_model(leaky: CanonicalTables) -> None:
    """Denied today is an error, leaking too, allowed is not; a column without a feature is not asked."""
    everyone = np.arange(leaky.leads.num_rows)
    features = choose_features(leaky, lead_index=everyone, known_until_us=leaky.known_until_us)
    refusing = {each.column for each in leaks_of_features(features, leaky) if each.refuses}
    assert refusing == {"Why not", "kind"}
    now = with_lists(leaky, never=(KIND,), allow=(WHY_NOT,))
    assert {(each.column, each.code) for each in leaks_of_features(features, now) if each.refuses} == {
        ("kind", "denied-never")
    }
    without = choose_features(now, lead_index=everyone, known_until_us=now.known_until_us)
    assert not any(each.refuses for each in leaks_of_features(without, now))
    assert not any(each.column == "kind" for each in leaks_of_features(without, leaky))


def test_finished_cases_are_checked_too() -> None:
    """A flat table has no cut-off, but a training part."""
    won = [lead % 3 == 0 for lead in range(600)]
    crm = crm_tables(
        [None] * 600,
        [(lead, None, "won" if each else "lost") for lead, each in enumerate(won)],
        attributes={"kind": ["customer" if each else "prospect" for each in won]},
        orders=list(range(600)),
    )
    with pytest.raises(InputError, match="refuses because of 'kind'"):
        prepare(crm, horizon_days=90)
