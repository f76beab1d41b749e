"""What the guard finds in columns that know too much, and that it finds nothing in honest chance."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.crm import NamedReason
from features.leakage.findings import Finding
from features.leakage.guard import inspect
from features.tables import CanonicalTables
from tests.builders_leakage import Chance, anonymous, found_in, with_changes
from tests.builders_training import crm_tables, day, day_us

SEEDS = st.integers(0, 2**32 - 1)
N_LEADS = 2000

Column = Callable[[Chance], Sequence[Any]]


def about(findings: Sequence[Finding], column: str) -> set[tuple[str, str]]:
    """Return code and severity of what is said about one column."""
    return {(each.code, each.severity) for each in findings if each.column == column}


def errors(findings: Sequence[Finding]) -> list[str]:
    """Return the errors as text."""
    return [each.text() for each in findings if each.severity == "error"]


def some(chance: Chance, who: np.ndarray, share: float) -> np.ndarray:
    """Return a random part of the chosen leads."""
    chosen: np.ndarray = who & (chance.rng.random(chance.n_leads) < share)
    return chosen


def where(filled: np.ndarray, text: str = "too dear") -> list[str | None]:
    """Return a text for the chosen leads, nothing for the others."""
    return [text if each else None for each in filled]


def judged(chance: Chance) -> list[str | None]:
    """Return a judgement like X Education's: filled more for the won, and rather right."""
    rank = chance.won + chance.rng.normal(0, 0.75, chance.n_leads)
    filled = some(chance, chance.won, 0.85) | some(chance, ~chance.won, 0.4)
    return [
        f"grade {int(np.digitize(value, [0, 0.5, 1]))}" if here else None
        for value, here in zip(rank, filled, strict=True)
    ]


LEAKS: list[Any] = [
    pytest.param(
        lambda c: where(some(c, c.lost, 0.9)), "filled-only-when-closed", "error", id="reason-of-the-lost"
    ),
    pytest.param(
        lambda c: where(some(c, c.won, 0.8)), "filled-only-when-closed", "error", id="filled-when-won"
    ),
    pytest.param(
        lambda c: where(some(c, c.lost, 0.3)), "filled-only-when-closed", "error", id="reason-that-few-enter"
    ),
    pytest.param(
        lambda c: where(some(c, ~c.is_open, 0.9)), "filled-only-when-closed", "error", id="filled-when-closed"
    ),
    pytest.param(
        lambda c: ["Select" if lost else "Basic" for lost in some(c, c.lost, 0.9)],
        "filled-only-when-closed",
        "error",
        id="placeholder-is-unfilled",
    ),
    pytest.param(
        lambda c: where(some(c, c.won, 0.8) | some(c, ~c.won, 0.45)),
        "filled-only-when-closed",
        "warning",
        id="asked-for-in-the-call",
    ),
    pytest.param(
        lambda c: (c.won + c.rng.normal(0, 0.5, c.n_leads)).tolist(),
        "single-feature-auc",
        "error",
        id="number",
    ),
    pytest.param(
        lambda c: (-2.0 * c.won + c.rng.normal(0, 1, c.n_leads)).tolist(),
        "single-feature-auc",
        "error",
        id="downwards",
    ),
    pytest.param(
        lambda c: np.where(c.won, 4, c.rng.choice([1, 7], c.n_leads)).astype(float).tolist(),
        "single-feature-auc",
        "error",
        id="code-in-the-middle",
    ),
    pytest.param(
        lambda c: (c.won ^ some(c, np.ones(c.n_leads, bool), 0.05)).tolist(),
        "single-feature-auc",
        "error",
        id="yes-or-no",
    ),
    pytest.param(
        lambda c: (1.25 * c.won + c.rng.normal(0, 1, c.n_leads)).tolist(),
        "single-feature-auc",
        "warning",
        id="strong",
    ),
    pytest.param(judged, "single-feature-auc", "error", id="half-filled-judgement"),
    pytest.param(
        lambda c: ["Customer" if won else str(c.rng.choice(["web", "fair"])) for won in some(c, c.won, 0.4)],
        "pure-level",
        "warning",
        id="one-level-is-the-win",
    ),
    pytest.param(lambda c: [day(each) for each in c.closed], "time-travel", "error", id="the-closing-itself"),
    pytest.param(
        lambda c: [day(each + (90 if n % 4 == 0 else 1)) for n, each in enumerate(c.created)],
        "time-travel",
        "warning",
        id="dated-ahead",
    ),
    pytest.param(lambda c: [f"note {n}" for n in range(c.n_leads)], "id-like", "warning", id="text-id"),
    pytest.param(
        lambda c: [float(10_000 + 7 * n) for n in range(c.n_leads)], "id-like", "note", id="number-id"
    ),
    pytest.param(lambda c: ["EUR"] * c.n_leads, "constant", "note", id="constant"),
    pytest.param(lambda c: pa.nulls(c.n_leads, pa.float64()), "constant", "note", id="empty"),
]


@pytest.mark.parametrize(("make", "code", "severity"), LEAKS)
def test_a_planted_column_is_found_whatever_it_is_called(make: Column, code: str, severity: str) -> None:
    """With its severity; the columns beside it raise nothing."""
    chance = Chance(n_leads=N_LEADS, seed=3)
    findings = found_in(chance.tables({**chance.honest_columns(), "c1": make(chance)}))
    assert (code, severity) in about(findings, "c1")
    assert [each for each in errors(findings) if "'c1'" not in each] == []


FLAT = [each for each in LEAKS if each.id not in {"filled-when-closed", "the-closing-itself", "dated-ahead"}]


@pytest.mark.parametrize(("make", "code", "severity"), FLAT)
def test_finished_cases_without_times_are_judged_too(make: Column, code: str, severity: str) -> None:
    """Only what needs times or open leads is not found there."""
    chance = Chance(n_leads=N_LEADS, seed=3, open_share=0.0)
    assert (code, severity) in about(found_in(chance.tables({"c1": make(chance)}, flat=True)), "c1")


def test_an_amount_of_money_is_no_id() -> None:
    """All different, and described by its size: digits differ."""
    chance = Chance(n_leads=N_LEADS, seed=1)
    revenue = [float(round(value)) for value in chance.rng.lognormal(12, 2, N_LEADS)]
    assert about(found_in(chance.tables({"revenue": revenue})), "revenue") == set()


def test_a_copy_is_named_whatever_its_type() -> None:
    """A code and its label say the same; a copy of a column that is left out is a warning."""
    chance = Chance(n_leads=N_LEADS, seed=5)
    code = chance.rng.integers(1, 5, N_LEADS)
    stage = chance.rng.choice(["a", "b", "c"], N_LEADS)
    columns = {
        "country": [f"country {each}" for each in code],
        "country_code": code.astype(float).tolist(),
        "stage_number": [{"a": 1.0, "b": 2.0, "c": 3.0}[each] for each in stage],
        "stage": stage.tolist(),
        "weight": chance.rng.normal(size=N_LEADS).tolist(),
        "height": (height := chance.rng.normal(size=N_LEADS)).tolist(),
        "height_in_inches": (height / 2.54).tolist(),
        "seen_at": [day(-each) for each in height],
    }
    findings = found_in(chance.tables(columns))
    assert about(findings, "country_code") == {("near-duplicate", "note")}
    assert about(findings, "country") == set()
    assert about(findings, "stage_number") == {("near-duplicate", "warning")}
    assert about(findings, "stage") == {("denied-stage", "warning")}
    assert about(findings, "weight") == about(findings, "height") == set()
    assert about(findings, "height_in_inches") == {("near-duplicate", "note")}
    assert ("near-duplicate", "note") in about(findings, "seen_at")


def test_recorded_changes_after_the_outcome() -> None:
    """First recorded then is an error, changed then a look; changed before is neither."""
    chance = Chance(n_leads=N_LEADS, seed=7, open_share=0.0)
    leads = [(lead, float(chance.created[lead]), float(chance.closed[lead])) for lead in range(N_LEADS)]
    rows = [(lead, closed, "first_then", "x") for lead, _, closed in leads]
    for name, delay in (("changed_then", 1.0), ("changed_before", -1.0)):
        rows += [(lead, created, name, "a") for lead, created, _ in leads]
        rows += [(lead, closed + delay, name, "b") for lead, _, closed in leads if lead % 3 == 0]
    names = ("first_then", "changed_then", "changed_before")
    tables = with_changes(chance.tables(dict.fromkeys(names, ["x"] * N_LEADS)), rows)
    findings = found_in(tables)
    expected = {"first_then": "error", "changed_then": "warning", "changed_before": None}
    for name, severity in expected.items():
        severities = [
            each.severity for each in findings if (each.column, each.code) == (name, "changed-after-outcome")
        ]
        assert severities == ([] if severity is None else [severity]), name


def test_a_value_is_judged_as_it_was_when_the_lead_was_new() -> None:
    """The row says what the lead became; the recorded first value says nothing, and that is judged."""
    chance = Chance(n_leads=N_LEADS, seed=9, open_share=0.0)
    became = ["customer" if won else "prospect" for won in chance.won]
    tables = chance.tables({"kind": became})
    assert "single-feature-auc" in {code for code, _ in about(found_in(tables), "kind")}
    first = [
        (lead, float(chance.created[lead]), "kind", "prospect" if lead % 2 else "visitor")
        for lead in range(N_LEADS)
    ]
    assert errors(found_in(with_changes(tables, first))) == []


def test_a_change_without_a_first_value_betrays_its_lead() -> None:
    """Only won leads have a recorded change, so only theirs have no value when they are new."""
    chance = Chance(n_leads=N_LEADS, seed=9, open_share=0.0)
    late = [
        (int(lead), float(chance.closed[lead]), "kind", "customer") for lead in np.flatnonzero(chance.won)
    ]
    findings = found_in(with_changes(chance.tables({"kind": ["prospect"] * N_LEADS}), late))
    assert ("filled-only-when-closed", "error") in about(findings, "kind")


def test_a_number_and_a_flag_are_read_from_recorded_text() -> None:
    """Text that cannot be read is no value; the rest is judged like the column."""
    chance = Chance(n_leads=N_LEADS, seed=9, open_share=0.0)
    rows = [
        (lead, float(chance.created[lead]), name, value)
        for lead in range(N_LEADS)
        for name, value in (
            ("size", "5" if chance.won[lead] else "many"),
            ("agreed", "true" if chance.won[lead] else "0"),
            ("met_at", day(float(chance.created[lead])).isoformat() if chance.won[lead] else "soon"),
        )
    ]
    columns = {"size": [1.0] * N_LEADS, "agreed": [True] * N_LEADS, "met_at": [day(0)] * N_LEADS}
    findings = found_in(with_changes(chance.tables(columns), rows))
    assert ("filled-only-when-closed", "error") in about(findings, "size")
    assert ("single-feature-auc", "error") in about(findings, "agreed")
    assert ("filled-only-when-closed", "error") in about(findings, "met_at")


def test_only_the_leads_and_the_instant_asked_for_are_looked_at() -> None:
    """A column that knows the outcome of the newest leads only is clean for the oldest."""
    chance = Chance(n_leads=N_LEADS, seed=11)
    newest = np.arange(N_LEADS) >= N_LEADS // 2
    tables = chance.tables({"c1": where(chance.won & newest)})
    assert errors(found_in(tables))
    oldest = np.flatnonzero(~newest)
    assert inspect(tables, lead_index=oldest, known_until_us=tables.known_until_us).refusing == ()
    early = inspect(tables, known_until_us=day_us(float(chance.closed.min()) - 0.1))
    assert (early.won, early.others, early.compared, early.refusing) == (0, 0, False, ())


def test_leads_that_stayed_open_for_the_horizon_are_not_won() -> None:
    """Where only wins are recorded, the others have had their time."""
    chance = Chance(n_leads=N_LEADS, seed=13)
    tables = chance.tables({"c1": where(chance.won)})
    only_wins = replace(
        tables, deals=tables.deals.filter(pa.compute.equal(tables.deals.column("outcome"), "won"))
    )
    inspection = inspect(only_wins, known_until_us=tables.known_until_us)
    assert (inspection.won, inspection.others) == (int(chance.won.sum()), N_LEADS - int(chance.won.sum()))
    assert any("not won" in each for each in errors(inspection.findings))


@pytest.mark.parametrize("wins", [19, 20])
def test_twenty_of_each_outcome_are_needed(wins: int) -> None:
    """With nineteen wins nobody is refused for what may be chance."""
    won = np.arange(200) < wins
    tables = crm_tables(
        [None] * 200,
        [(lead, None, "won" if each else "lost") for lead, each in enumerate(won)],
        attributes={"c1": won.tolist()},
    )
    assert bool(errors(found_in(tables))) == (wins >= 20)


def test_never_is_not_judged_and_allow_is_muted() -> None:
    """Both lists settle an error: one leaves the column out, the other shows the finding with its reason."""
    chance = Chance(n_leads=N_LEADS, seed=3)
    tables = chance.tables({"c1": where(chance.won), "stage": where(chance.lost)})
    assert len(errors(found_in(tables))) == 2
    never = (NamedReason(column="c1", reason="written when won"),)
    assert about(found_in(with_lists(tables, never=never)), "c1") == {("denied-never", "warning")}
    allow = (
        NamedReason(column="c1", reason="agreed"),
        NamedReason(column="stage", reason="of their company"),
    )
    inspection = inspect(with_lists(tables, allow=allow), known_until_us=tables.known_until_us)
    assert inspection.refusing == ()
    reasons = {each.column: each.allowed for each in inspection.findings if each.severity == "error"}
    assert reasons == {"c1": "agreed", "stage": "of their company"}


def test_a_contradiction_cannot_be_allowed() -> None:
    """A column in both lists refuses."""
    chance = Chance(n_leads=100, seed=3)
    both = (NamedReason(column="source", reason="x"),)
    tables = with_lists(chance.tables(chance.honest_columns()), never=both, allow=both)
    inspection = inspect(tables, known_until_us=tables.known_until_us)
    assert [each.code for each in inspection.refusing] == ["never-and-allow"]
    assert inspection.refusing[0].settle() is None


def test_the_gravest_come_first_and_columns_in_their_order() -> None:
    """Errors, warnings, notes; what is allowed stands behind what is not."""
    chance = Chance(n_leads=N_LEADS, seed=3)
    columns = {
        "same": ["x"] * N_LEADS,
        "owner": ["y"] * N_LEADS,
        "ok": where(chance.won),
        "bad": where(chance.lost),
    }
    findings = found_in(chance.tables(columns, allow="ok"))
    assert [each.column for each in findings] == ["bad", "bad", "ok", "ok", "owner", "same"]


def with_lists(
    tables: CanonicalTables, *, never: tuple[NamedReason, ...] = (), allow: tuple[NamedReason, ...] = ()
) -> CanonicalTables:
    """Return the CRM with other lists in its crm.toml."""
    return replace(tables, crm=replace(tables.crm, never=never, allow=allow))


def leaky(seed: int) -> CanonicalTables:
    """Return a CRM with honest columns, a reason of the lost and a grade."""
    chance = Chance(n_leads=300, seed=seed)
    columns = {"c1": where(some(chance, chance.lost, 0.9)), "c2": judged(chance), **chance.honest_columns()}
    return chance.tables(columns)


@given(seed=SEEDS)
@settings(max_examples=15)
def test_the_order_of_rows_does_not_matter(seed: int) -> None:
    """Leads and deals in any order give the same findings with the same numbers."""
    tables = leaky(seed)
    rng = np.random.default_rng(seed)
    mixed = replace(
        tables,
        leads=tables.leads.take(pa.array(rng.permutation(tables.leads.num_rows))),
        deals=tables.deals.take(pa.array(rng.permutation(tables.deals.num_rows))),
    )
    numbers = [(each.code, each.column, each.numbers) for each in found_in(tables)]
    again = [(each.code, each.column, each.numbers) for each in found_in(mixed)]
    assert [each[:2] for each in again] == [each[:2] for each in numbers]
    for first, second in zip(numbers, again, strict=True):
        assert dict(second[2]) == pytest.approx(dict(first[2]))


@given(seed=SEEDS)
@settings(max_examples=15)
def test_the_names_of_columns_and_levels_do_not_matter(seed: int) -> None:
    """Other words for the same values give the same findings."""
    tables = leaky(seed)
    renamed, old = anonymous(tables)
    grades = [None if each is None else f"ξ{each[::-1]}" for each in tables.leads.column("c2").to_pylist()]
    place = renamed.leads.schema.get_field_index("c2")
    renamed = replace(renamed, leads=renamed.leads.set_column(place, "c2", pa.array(grades, pa.string())))
    found = [(each.code, each.column, each.numbers) for each in found_in(tables)]
    assert [(each.code, old[each.column], each.numbers) for each in found_in(renamed)] == found


@given(seed=SEEDS, n_leads=st.integers(40, 400), won_share=st.floats(0.05, 0.95), flat=st.booleans())
@settings(max_examples=100)
def test_honest_chance_raises_no_error(seed: int, n_leads: int, won_share: float, flat: bool) -> None:
    """However few leads there are and however rare wins are: chance stays chance."""
    chance = Chance(n_leads=n_leads, seed=seed, won_share=won_share)
    assert errors(found_in(chance.tables(chance.honest_columns(), flat=flat))) == []


@given(seed=SEEDS)
@settings(max_examples=25)
def test_a_shuffled_outcome_raises_no_error(seed: int) -> None:
    """Columns that knew the outcome know nothing of outcomes dealt anew."""
    tables = leaky(seed)
    dealt = np.random.default_rng(seed).permutation(tables.deals.num_rows)
    place = tables.deals.schema.get_field_index("outcome")
    outcomes = tables.deals.column("outcome").take(pa.array(dealt))
    shuffled = replace(tables, deals=tables.deals.set_column(place, "outcome", outcomes))
    # who is open stays open, so what is filled for closed leads only is still found, and rightly
    by_outcome = [each for each in found_in(shuffled) if "open" not in each.message]
    assert errors(by_outcome) == []


def test_chance_is_seldom_worth_a_look() -> None:
    """Of 100 thin random CRMs with 8 honest columns, at most one column in a hundred gets a warning."""
    looks = 0
    for seed in range(100):
        chance = Chance(n_leads=60 + 5 * seed, seed=seed)
        findings = found_in(chance.tables(chance.honest_columns()))
        looks += sum(each.severity == "warning" and each.code != "id-like" for each in findings)
    assert looks <= 8
