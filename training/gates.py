"""Whether a challenger may become champion, with every reason. Who moves the alias is decided elsewhere.

Every gate is a function from facts to one reason; a new gate is one more row of `GATES`. A gate that does not
apply says so and passes; one that cannot judge refuses, so nothing that is unknown passes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

from features.leakage import Finding
from training.evaluation import Evaluation, Interval
from training.groups import SliceRow
from training.stage_moves import StageMoves

TOLERATED_DEVIATION = 0.10
"""Expected wins may differ this much from real wins before a significant difference refuses a model: less
than that no team can see in a quarter, and on thousands of leads any small drift is significant."""

TOLERATED_SLICE_DEVIATION = 0.20
"""A slice may be off by more than the whole: its teams see fewer leads, and act on the whole score."""

SLICES_RISK = 0.05
"""The chance to refuse a model that keeps its promise in every slice, over all slices together: of twenty
one is two deviations off by luck alone, so each is asked at a twentieth of the risk (Bonferroni; Dunn 1961,
"Multiple comparisons among means")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """What one gate found: a stable code, whether it passes, and one sentence with the numbers.

    ``applies`` is False where the gate has nothing to ask; then it passes.
    """

    code: str
    passed: bool
    text: str
    applies: bool = True

    @property
    def answer(self) -> str:
        """One word: pass, refuse, or n/a."""
        return "n/a" if not self.applies else "pass" if self.passed else "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The answer of all gates; passed only when every one passes."""

    reasons: tuple[Reason, ...]

    @property
    def passed(self) -> bool:
        """Whether no gate refuses."""
        return all(reason.passed for reason in self.reasons)


NO_CHAMPION = "there is no champion to beat"
ONLY_AGREED = "the model says what both teams agreed to expect; no outcome has judged it yet"
NO_POLICY = "no policy is in force, so no stage depends on the model"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateFacts:
    """What the gates look at.

    ``against_champion`` is the challenger's log loss minus the champion's on the same newest points, None
    when there is no ``champion``; ``incomparable`` says why there is one and it cannot be compared.
    ``round_trip_difference`` is the largest difference in probability between the evaluated model and the
    one that came back from the registry. ``stage_moves`` is None without a champion to compare with,
    and without a policy (``has_policy``).
    """

    challenger: Evaluation
    against_champion: Interval | None
    round_trip_difference: float
    leakage: tuple[Finding, ...]
    incomparable: str | None = None
    champion: Evaluation | None = None
    stage_moves: StageMoves | None = None
    has_policy: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreedFacts:
    """What the gates look at where a model rests on what both teams expect, and no outcome has judged it.

    ``champion_evidence`` is what the model in service rests on, None without one.
    """

    champion_evidence: str | None
    round_trip_difference: float
    leakage: tuple[Finding, ...]


def judge_agreed(facts: AgreedFacts) -> Verdict:
    """Ask the gates that can be asked of agreed numbers; those that need outcomes do not apply."""
    unasked = ("better_than_prior", "calibrated_in_the_large", "calibrated_per_slice", "stages_stay")
    return Verdict(
        reasons=(
            *(Reason(code=code, passed=True, text=ONLY_AGREED, applies=False) for code in unasked),
            _learnt_stays(facts),
            _no_leakage(facts),
            _same_after_round_trip(facts),
        )
    )


def _learnt_stays(facts: AgreedFacts) -> Reason:
    code, evidence = "not_worse_than_champion", facts.champion_evidence
    if evidence is None:
        return Reason(code=code, passed=True, text=NO_CHAMPION, applies=False)
    if evidence == "rules":
        return Reason(code=code, passed=True, text=ONLY_AGREED, applies=False)
    text = f"the champion learnt from real outcomes (evidence {evidence}); an expectation does not beat it"
    return Reason(code=code, passed=False, text=text)


def judge(facts: GateFacts) -> Verdict:
    """Ask every gate; all reasons are in the verdict, those that pass too."""
    return Verdict(reasons=tuple(gate(facts) for gate in GATES))


def _better_than_prior(facts: GateFacts) -> Reason:
    gain = facts.challenger.metric("log_loss_gain")
    if gain is None:
        return Reason(code="better_than_prior", passed=False, text="log loss has no value on the test part")
    passed = gain.low > 0.0
    text = (
        f"log loss is {_signed(-gain.value)} against the base rate alone "
        f"(95 % interval {_signed(-gain.high)} to {_signed(-gain.low)}); "
        f"{'the whole interval is' if passed else 'the whole interval must be'} below 0"
    )
    return Reason(code="better_than_prior", passed=passed, text=text)


def _not_worse_than_champion(facts: GateFacts) -> Reason:
    difference = facts.against_champion
    if facts.incomparable is not None:
        return Reason(code="not_worse_than_champion", passed=False, text=facts.incomparable)
    if difference is None:
        return Reason(code="not_worse_than_champion", passed=True, text=NO_CHAMPION, applies=False)
    passed = difference.low <= 0.0
    text = (
        f"log loss is {_signed(difference.value)} against the champion on the same leads "
        f"(95 % interval {_signed(difference.low)} to {_signed(difference.high)}); "
        f"{'not worse beyond noise' if passed else 'worse beyond noise'}"
    )
    return Reason(code="not_worse_than_champion", passed=passed, text=text)


def _calibrated_in_the_large(facts: GateFacts) -> Reason:
    ratio = facts.challenger.metric("expected_to_real_wins")
    if ratio is None:
        return Reason(code="calibrated_in_the_large", passed=False, text="the test part holds no win")
    lowest, highest = 1.0 - TOLERATED_DEVIATION, 1.0 + TOLERATED_DEVIATION
    passed = ratio.low <= highest and ratio.high >= lowest
    text = (
        f"expected wins are {ratio.value:.0%} of real wins "
        f"(95 % interval {ratio.low:.0%} to {ratio.high:.0%}); "
        f"the interval {'reaches' if passed else 'must reach'} {lowest:.0%} to {highest:.0%}"
    )
    return Reason(code="calibrated_in_the_large", passed=passed, text=text)


def _calibrated_per_slice(facts: GateFacts) -> Reason:
    """Refuse a model that breaks its promise in a slice, unless the champion breaks it there as badly.

    Keeping a champion because its challenger shares its fault would help nobody.
    """
    code, slices = "calibrated_per_slice", facts.challenger.slices
    judged = [row for row in slices if not row.not_applicable]
    if not judged:
        text = "no attribute has a slice that is large enough to be judged"
        return Reason(code=code, passed=True, text=text, applies=False)
    broken = [row for row in judged if _is_broken(row, of=len(judged))]
    worse = [row for row in broken if not _champion_is_as_far_off(row, facts.champion)]
    if worse:
        text = "; ".join(_broken_promise(row, of=len(judged)) for row in worse)
        return Reason(code=code, passed=False, text=text)
    shared = f", {len(broken)} of them off like the champion's" if broken else ""
    text = (
        f"real wins are as promised in {len(judged)} slices{shared} "
        f"({TOLERATED_SLICE_DEVIATION:.0%} and chance tolerated, {SLICES_RISK:.0%} risk over all); "
        f"{len(slices) - len(judged)} too small to ask"
    )
    return Reason(code=code, passed=True, text=text)


def _tolerated(row: SliceRow, *, of: int) -> tuple[float, float]:
    """Return between which numbers the real wins of one of so many slices may lie."""
    deviations = NormalDist().inv_cdf(1.0 - SLICES_RISK / (2 * of))
    lowest = row.expected_wins / (1.0 + TOLERATED_SLICE_DEVIATION) - deviations * row.spread
    highest = row.expected_wins / (1.0 - TOLERATED_SLICE_DEVIATION) + deviations * row.spread
    return max(lowest, 0.0), highest


def _is_broken(row: SliceRow, *, of: int) -> bool:
    lowest, highest = _tolerated(row, of=of)
    return not lowest <= row.real_wins <= highest


def _broken_promise(row: SliceRow, *, of: int) -> str:
    lowest, highest = _tolerated(row, of=of)
    return (
        f"{row.attribute_en} {row.level_en}: {row.expected_wins:.0f} wins promised, "
        f"{row.real_wins:.0f} came, {lowest:.0f} to {highest:.0f} tolerated"
    )


def _champion_is_as_far_off(row: SliceRow, champion: Evaluation | None) -> bool:
    same = [
        each
        for each in (() if champion is None else champion.slices)
        if (each.feature, each.level_en) == (row.feature, row.level_en)
    ]
    missed = abs(row.expected_wins - row.real_wins)
    return any(abs(each.expected_wins - each.real_wins) >= missed for each in same)


def _stages_stay(facts: GateFacts) -> Reason:
    code, moves = "stages_stay", facts.stage_moves
    if not facts.has_policy:
        return Reason(code=code, passed=True, text=NO_POLICY, applies=False)
    if facts.incomparable is not None:
        return Reason(code=code, passed=False, text=facts.incomparable)
    if moves is None:
        return Reason(code=code, passed=True, text=NO_CHAMPION, applies=False)
    volumes = ", ".join(f"{each.stage} {each.champion} to {each.challenger}" for each in moves.volumes)
    text = (
        f"{moves.moved} of the {moves.leads} newest leads ({moves.share:.1%}) would change stage under "
        f"{moves.policy}; at most {moves.most_moved:.0%} may; volumes: {volumes}"
    )
    return Reason(code=code, passed=moves.share <= moves.most_moved, text=text)


def _no_leakage(facts: GateFacts | AgreedFacts) -> Reason:
    errors = [finding for finding in facts.leakage if finding.refuses]
    if not errors:
        return Reason(code="no_leakage", passed=True, text="no feature is known to leak the outcome")
    found = "; ".join(f"{finding.column}: {finding.message}" for finding in errors)
    return Reason(code="no_leakage", passed=False, text=f"features that leak the outcome: {found}")


def _same_after_round_trip(facts: GateFacts | AgreedFacts) -> Reason:
    difference = facts.round_trip_difference
    passed = difference == 0.0
    text = f"probabilities after a round trip through MLflow differ by {difference:g}; must be 0"
    return Reason(code="same_after_round_trip", passed=passed, text=text)


def _signed(value: float) -> str:
    return f"{value:+.4f}"


GATES: tuple[Callable[[GateFacts], Reason], ...] = (
    _better_than_prior,
    _not_worse_than_champion,
    _calibrated_in_the_large,
    _calibrated_per_slice,
    _stages_stay,
    _no_leakage,
    _same_after_round_trip,
)
