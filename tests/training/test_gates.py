"""Which challengers pass, and that every reason is told."""

from dataclasses import replace

import numpy as np
import pytest

from features.leakage import Finding
from training.evaluation import Evaluation, Interval, ScoredPoints, evaluate
from training.gates import GateFacts, Verdict, judge
from training.groups import SliceRow
from training.stage_moves import StageMoves, Volume


def evaluation(*, ratio: tuple[float, float], gain: tuple[float, float]) -> Evaluation:
    """Return an evaluation with given intervals for the two metrics the gates read."""
    points = ScoredPoints(
        lead_index=np.arange(4),
        as_of_us=np.zeros(4, dtype=np.int64),
        label=np.array([0, 1, 0, 1], dtype=np.int8),
        weight=np.ones(4),
        probability=np.array([0.2, 0.8, 0.3, 0.7]),
        prior_probability=0.5,
    )
    return replace(
        evaluate(points, seed=0),
        metrics=(
            ("expected_to_real_wins", Interval(value=sum(ratio) / 2, low=ratio[0], high=ratio[1])),
            ("log_loss_gain", Interval(value=sum(gain) / 2, low=gain[0], high=gain[1])),
        ),
    )


GOOD = GateFacts(
    challenger=evaluation(ratio=(0.95, 1.08), gain=(0.01, 0.05)),
    against_champion=Interval(value=-0.01, low=-0.03, high=0.01),
    round_trip_difference=0.0,
    leakage=(),
)


def slice_row(level: str, *, expected: float, real: float, spread: float, too_small: str = "") -> SliceRow:
    """Return a slice of the source with given promised and real wins."""
    return SliceRow(
        feature="source",
        attribute_en="Source",
        attribute_de="Quelle",
        level_en=level,
        level_de=level,
        snapshots=400,
        leads=200,
        weight=400.0,
        expected_wins=expected,
        real_wins=real,
        spread=spread,
        not_applicable=too_small,
        log_loss=0.3,
        log_loss_gain=0.01,
        auc=0.7,
    )


def with_slices(*rows: SliceRow) -> GateFacts:
    """Return good facts with these slices."""
    return replace(GOOD, challenger=replace(GOOD.challenger, slices=rows))


FINE = tuple(slice_row(f"source {number}", expected=40, real=40, spread=5) for number in range(19))
TWO_SIGMA_OFF = slice_row("webinar", expected=40, real=50, spread=5)
DOUBLED = slice_row("webinar", expected=40, real=80, spread=5)
NEARER = slice_row("webinar", expected=41, real=80, spread=5)
NO_WIN = slice_row("bought list", expected=40, real=0, spread=5)
NO_WIN_BUT_SMALL = replace(NO_WIN, not_applicable="few_leads")


def moves(moved: int, *, most: float = 0.10) -> StageMoves:
    """Return so many of 200 leads that change stage."""
    return StageMoves(
        policy="policy version 3",
        most_moved=most,
        leads=200,
        moved=moved,
        volumes=(Volume(stage="mql", champion=40, challenger=40 + moved),),
    )


LEAK = Finding(code="denied-owner", severity="error", column="owner", message="decided after it was judged")


@pytest.mark.parametrize(
    ("facts", "refused"),
    [
        pytest.param(GOOD, set(), id="good"),
        pytest.param(replace(GOOD, against_champion=None), set(), id="first-model"),
        pytest.param(
            replace(GOOD, challenger=evaluation(ratio=(0.95, 1.08), gain=(0.0, 0.05))),
            {"better_than_prior"},
            id="gain-that-may-be-nothing",
        ),
        pytest.param(
            replace(GOOD, challenger=evaluation(ratio=(1.11, 1.3), gain=(0.01, 0.05))),
            {"calibrated_in_the_large"},
            id="promises-too-much",
        ),
        pytest.param(
            replace(GOOD, challenger=evaluation(ratio=(1.10, 1.3), gain=(0.01, 0.05))),
            set(),
            id="promise-exactly-on-the-line",
        ),
        pytest.param(
            replace(GOOD, against_champion=Interval(value=0.02, low=0.001, high=0.04)),
            {"not_worse_than_champion"},
            id="worse-than-the-champion",
        ),
        pytest.param(
            replace(GOOD, against_champion=None, incomparable="another horizon"),
            {"not_worse_than_champion"},
            id="champion-of-another-horizon",
        ),
        pytest.param(with_slices(*FINE, TWO_SIGMA_OFF), set(), id="one-of-twenty-slices-two-sigma-off"),
        pytest.param(with_slices(*FINE, DOUBLED), {"calibrated_per_slice"}, id="one-slice-promises-half"),
        pytest.param(with_slices(*FINE, NO_WIN), {"calibrated_per_slice"}, id="a-slice-without-a-win"),
        pytest.param(
            replace(with_slices(*FINE, DOUBLED), champion=with_slices(DOUBLED).challenger),
            set(),
            id="the-champion-is-as-far-off-there",
        ),
        pytest.param(
            replace(with_slices(*FINE, DOUBLED), champion=with_slices(*FINE, NEARER).challenger),
            {"calibrated_per_slice"},
            id="the-champion-is-nearer-there",
        ),
        pytest.param(with_slices(NO_WIN_BUT_SMALL), set(), id="too-small-to-be-judged"),
        pytest.param(replace(GOOD, has_policy=True), set(), id="policy-but-no-champion"),
        pytest.param(replace(GOOD, has_policy=True, stage_moves=moves(20)), set(), id="as-many-as-agreed"),
        pytest.param(
            replace(GOOD, has_policy=True, stage_moves=moves(21)), {"stages_stay"}, id="one-lead-too-many"
        ),
        pytest.param(
            replace(GOOD, has_policy=True, stage_moves=moves(21, most=0.2)), set(), id="more-is-agreed"
        ),
        pytest.param(
            replace(GOOD, has_policy=True, against_champion=None, incomparable="another horizon"),
            {"not_worse_than_champion", "stages_stay"},
            id="stages-of-another-horizon",
        ),
        pytest.param(replace(GOOD, leakage=(LEAK,)), {"no_leakage"}, id="leak"),
        pytest.param(replace(GOOD, leakage=(replace(LEAK, severity="warning"),)), set(), id="warning-only"),
        pytest.param(
            replace(GOOD, round_trip_difference=1e-17), {"same_after_round_trip"}, id="one-bit-differs"
        ),
        pytest.param(
            replace(GOOD, round_trip_difference=float("nan")), {"same_after_round_trip"}, id="nan-differs"
        ),
        pytest.param(
            replace(GOOD, challenger=replace(GOOD.challenger, metrics=())),
            {"better_than_prior", "calibrated_in_the_large"},
            id="what-cannot-be-judged-refuses",
        ),
    ],
)
def test_gates(facts: GateFacts, refused: set[str]) -> None:
    """Each gate refuses for its own reason; the verdict passes when none does; all seven always speak."""
    verdict = judge(facts)
    assert {reason.code for reason in verdict.reasons if not reason.passed} == refused
    assert verdict.passed == (not refused)
    assert len(verdict.reasons) == 7
    assert all(reason.text for reason in verdict.reasons)


def test_a_leak_is_named() -> None:
    """The reason says which column leaks and why."""
    verdict = judge(replace(GOOD, leakage=(LEAK,)))
    texts = [reason.text for reason in verdict.reasons if reason.code == "no_leakage"]
    assert texts == ["features that leak the outcome: owner: decided after it was judged"]


def texts(verdict: Verdict) -> dict[str, str]:
    """Return the sentence of each gate after its answer."""
    return {reason.code: f"{reason.answer}: {reason.text}" for reason in verdict.reasons}


def test_what_does_not_apply_says_so_and_passes() -> None:
    """A first model without policy and slices: three gates have nothing to ask, the others judge."""
    said = texts(judge(replace(GOOD, against_champion=None)))
    assert said["not_worse_than_champion"] == "n/a: there is no champion to beat"
    assert said["stages_stay"] == "n/a: no policy is in force, so no stage depends on the model"
    assert said["calibrated_per_slice"].startswith("n/a: no attribute has a slice")
    assert [code for code, text in said.items() if not text.startswith("n/a")] == [
        "better_than_prior",
        "calibrated_in_the_large",
        "no_leakage",
        "same_after_round_trip",
    ]


def test_every_broken_slice_is_named_with_its_numbers() -> None:
    """The sentence holds attribute, value, promise, outcome and what was tolerated."""
    said = texts(judge(with_slices(*FINE, DOUBLED, NO_WIN)))["calibrated_per_slice"]
    assert "Source webinar: 40 wins promised, 80 came, 18 to 65 tolerated" in said
    assert "Source bought list: 40 wins promised, 0 came, 18 to 65 tolerated" in said


def test_moved_leads_and_volumes_are_told() -> None:
    """How many of how many, under which policy, how many may, and each stage before and after."""
    said = texts(judge(replace(GOOD, has_policy=True, stage_moves=moves(30))))["stages_stay"]
    assert said == (
        "refuse: 30 of the 200 newest leads (15.0%) would change stage under policy version 3; "
        "at most 10% may; volumes: mql 40 to 70"
    )


def test_an_honest_model_is_hardly_ever_refused_for_its_slices() -> None:
    """Of 200 right models with twenty slices each, no more are refused than the risk allows."""
    random = np.random.default_rng(3)
    refused = 0
    for _ in range(200):
        chance = random.uniform(0.02, 0.4, (20, 150))
        wins = (random.random(chance.shape) < chance).sum(axis=1)
        spread = np.sqrt((chance * (1 - chance)).sum(axis=1))
        rows = [
            slice_row(str(place), expected=float(chance[place].sum()), real=float(won), spread=float(sd))
            for place, (won, sd) in enumerate(zip(wins, spread, strict=True))
        ]
        refused += "calibrated_per_slice" in {
            reason.code for reason in judge(with_slices(*rows)).reasons if not reason.passed
        }
    assert refused <= 10
