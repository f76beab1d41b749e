"""Before there are deals a score is what both teams agreed, and moves to the evidence as it comes."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from features.errors import InputError
from features.personas import PersonaOperator, PersonaRule, PersonaRules
from features.workspace import Workspace
from tests.builders_training import NOW, crm_tables, silent
from training.agreed import AGREED_LEADS, AgreedRates, BetaRate, calibration_of, updated_rates, write_rates
from training.artifact import load_model
from training.errors import BusyError
from training.gates import AgreedFacts, judge_agreed
from training.labels import Labels
from training.mlflow_store import choose_store
from training.promote import promote
from training.registry import pull
from training.train import only_training
from training.train_agreed import train_on_agreement
from training.trees import parse_model_text, predict_margin


def persona(name: str) -> PersonaRules:
    """Return a persona that is known by its department."""
    rule = PersonaRule(attribute="department", operator=PersonaOperator.EQUALS, values=(name,))
    return PersonaRules(name=name, label_de=name, label_en=name, rules=(rule,))


AGREED = AgreedRates(general=0.04, personas=(persona("finance"), persona("it")), shares=(0.2, None))
counts = st.floats(0.0, 500.0)
rates = st.lists(
    st.builds(BetaRate, won=counts.map(lambda n: n + 0.5), not_won=counts.map(lambda n: n + 0.5)),
    min_size=2,
    max_size=6,
).map(tuple)


def labels_of(outcomes: list[int | None]) -> Labels:
    """Return labels that weigh one where an outcome is known."""
    known = np.array([outcome is not None for outcome in outcomes], dtype=np.bool_)
    label = np.array([outcome or 0 for outcome in outcomes], dtype=np.int8)
    return Labels(label=label, weight=known.astype(np.float64), known=known)


def test_without_outcomes_the_agreement_speaks() -> None:
    """Code 0 is no persona; a persona without a share of its own has the general one."""
    found = updated_rates(AGREED, np.empty(0), labels_of([]))
    assert [rate.mean for rate in found] == pytest.approx([0.04, 0.2, 0.04])
    assert all(rate.won + rate.not_won == AGREED_LEADS for rate in found)


@given(st.lists(st.tuples(st.sampled_from([np.nan, 0.0, 1.0, 2.0]), st.sampled_from([0, 1, None]))))
def test_known_ends_join_the_agreed_leads(leads: list[tuple[float, int | None]]) -> None:
    """Each rate is the share among twenty agreed leads and its own ones of a known end."""
    code = np.array([code for code, _ in leads])
    found = updated_rates(AGREED, code, labels_of([outcome for _, outcome in leads]))
    for place, (rate, share) in enumerate(zip(found, AGREED.by_code, strict=True)):
        own = [
            end for code, end in leads if (0 if np.isnan(code) else int(code)) == place and end is not None
        ]
        expected = (AGREED_LEADS * share + sum(own)) / (AGREED_LEADS + len(own))
        assert rate.mean == pytest.approx(expected)


@given(rates)
def test_the_text_and_the_interval_say_the_rates(found: tuple[BetaRate, ...]) -> None:
    """Every persona scores its own rate; its interval holds the central 90 % of its beta distribution."""
    calibration = calibration_of(found)
    ensemble = parse_model_text(write_rates(found))
    codes = np.array([[0.0], [np.nan], *([float(code)] for code in range(1, len(found)))])
    margin = predict_margin(ensemble, codes)
    probability, (low, high) = calibration.apply(margin), calibration.interval(margin)
    for row, rate in enumerate((found[0], *found)):
        assert probability[row] == pytest.approx(rate.mean)
        lowest, highest = beta.interval(0.90, rate.won, rate.not_won)
        assert low[row] <= min(lowest, rate.mean) + 1e-9
        assert high[row] >= max(highest, rate.mean) - 1e-9


@given(st.floats(0.1, 0.9), st.integers(0, 200), st.integers(20, 200))
def test_intervals_narrow_as_leads_come(share: float, few: int, more: int) -> None:
    """The same share among more leads is surer."""
    less, further = (
        BetaRate(won=(AGREED_LEADS + n) * share, not_won=(AGREED_LEADS + n) * (1.0 - share))
        for n in (few, few + more)
    )
    width = [high - low for low, high in (less.interval, further.interval)]
    assert width[1] < width[0]


@pytest.mark.parametrize(
    ("general", "personas", "own", "message"),
    [
        (0.1, (), (), "at least one persona; got none"),
        (0.1, (persona("it"),), (), "for each persona; got 1 and 0"),
        (1.0, (persona("it"),), (None,), "between 0 and 1, both excluded; got 1.0"),
        (0.1, (persona("it"),), (0.0,), "between 0 and 1, both excluded; got 0.0"),
    ],
)
def test_what_nobody_can_agree_on_is_refused(
    general: float, personas: tuple[PersonaRules, ...], own: tuple[float | None, ...], message: str
) -> None:
    """Each rule of agreed rates names the value."""
    with pytest.raises(InputError, match=message):
        AgreedRates(general=general, personas=personas, shares=own)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Return an empty workspace."""
    return Workspace(tmp_path / "workspace")


def test_the_agreement_serves_until_a_model_learnt(workspace: Workspace) -> None:
    """Registered, promoted and loaded like any model; its numbers are agreement and leads together."""
    place = choose_store(workspace, None, under_mlflow_run=False)
    departments = ["finance", "it", "sales", "finance"]
    tables = crm_tables(
        [0.0, 1.0, 2.0, 300.0],
        [(0, 5.0, "won"), (1, 9.0, "lost")],
        attributes={"department": departments},
        exported_day=310.0,
    )
    result = train_on_agreement(workspace, tables, AGREED, place=place, now=NOW, progress=silent)
    assert [(rate.persona, rate.known, round(rate.won)) for rate in result.rates] == [
        ("(no persona)", pytest.approx(4.0 / 3.0), 0),
        ("finance", pytest.approx(1.0), 1),
        ("it", 1.0, 0),
    ]
    model = load_model(pull(result.registered.version, workspace.models_dir, place=place))
    assert model.manifest.evidence == "rules"
    predicted = model.predict(np.array([[1.0]]))
    assert predicted.probability[0] == pytest.approx(result.rates[1].probability)
    assert (predicted.low[0], predicted.high[0]) == pytest.approx((result.rates[1].low, result.rates[1].high))
    promotion = promote(workspace, tables, place=place, version=None, why_forced=None, seed=0, now=NOW)
    assert promotion.promoted
    answers = {reason.code: reason.answer for reason in promotion.verdict.reasons}
    assert answers["better_than_prior"] == answers["not_worse_than_champion"] == "n/a"
    assert answers["same_after_round_trip"] == answers["no_leakage"] == "pass"


@pytest.mark.parametrize(
    ("evidence", "answer"), [(None, "n/a"), ("rules", "n/a"), ("scorecard", "refuse"), ("model", "refuse")]
)
def test_an_expectation_never_replaces_what_was_learnt(evidence: str | None, answer: str) -> None:
    """Newer agreed numbers replace older ones; a champion that learnt from outcomes stays."""
    verdict = judge_agreed(AgreedFacts(champion_evidence=evidence, round_trip_difference=0.0, leakage=()))
    answers = {reason.code: reason.answer for reason in verdict.reasons}
    assert answers["not_worse_than_champion"] == answer
    assert verdict.passed is (answer == "n/a")


def test_one_training_at_a_time(workspace: Workspace) -> None:
    """While another training holds the workspace, this one says so."""
    place = choose_store(workspace, None, under_mlflow_run=False)
    tables = crm_tables([0.0], [], attributes={"department": ["it"]}, exported_day=10.0)
    with only_training(workspace), pytest.raises(BusyError, match="another training is running"):
        train_on_agreement(workspace, tables, AGREED, place=place, now=NOW, progress=silent)
