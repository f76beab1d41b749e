"""Whether a challenger may become champion, with every reason. Who moves the alias is decided elsewhere.

Every gate is a function from facts to one reason; a new gate is one more row of `GATES`. Nothing that is
unknown passes: a gate that cannot judge refuses.
"""

from collections.abc import Callable
from dataclasses import dataclass

from features.leakage import Finding
from training.evaluation import Evaluation, Interval

TOLERATED_DEVIATION = 0.10
"""Expected wins may differ this much from real wins before a significant difference refuses a model: less
than that no team can see in a quarter, and on thousands of leads any small drift is significant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """What one gate found: a stable code, whether it passes, and one sentence with the numbers."""

    code: str
    passed: bool
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The answer of all gates; passed only when every one passes."""

    reasons: tuple[Reason, ...]

    @property
    def passed(self) -> bool:
        """Whether no gate refuses."""
        return all(reason.passed for reason in self.reasons)


@dataclass(frozen=True, slots=True, kw_only=True)
class GateFacts:
    """What the gates look at.

    ``against_champion`` is the challenger's log loss minus the champion's on the same newest points, None
    when there is no champion; ``incomparable`` says why there is one and it cannot be compared.
    ``round_trip_difference`` is the largest difference in probability between the evaluated model and the
    one that came back from the registry.
    """

    challenger: Evaluation
    against_champion: Interval | None
    round_trip_difference: float
    leakage: tuple[Finding, ...]
    incomparable: str | None = None


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
        return Reason(code="not_worse_than_champion", passed=True, text="there is no champion to beat")
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


def _no_leakage(facts: GateFacts) -> Reason:
    errors = [finding for finding in facts.leakage if finding.refuses]
    if not errors:
        return Reason(code="no_leakage", passed=True, text="no feature is known to leak the outcome")
    found = "; ".join(f"{finding.column}: {finding.message}" for finding in errors)
    return Reason(code="no_leakage", passed=False, text=f"features that leak the outcome: {found}")


def _same_after_round_trip(facts: GateFacts) -> Reason:
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
    _no_leakage,
    _same_after_round_trip,
)
