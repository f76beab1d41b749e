"""What a column's values give away: filled for one outcome only, telling it alone, a level that is all won.

Judges values, whatever the column is called. The limits below come from measurements on five real exports
(experiments/decisions/0009-the-leakage-guard.md).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.leakage.cases import Cases
from features.leakage.findings import Finding, Severity, make_finding
from features.leakage.statistics import (
    Bounded,
    Rate,
    auc_of_same_time,
    out_of_fold_win_rates,
    rate_gap,
    rates_of_same_time,
    wilson,
)
from features.leakage.values import Values

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
Group = tuple[str, BoolArray]
"""A group of leads by its name in `phrases.GROUPS`: bool (n,), who belongs to it."""

LEAST_LEADS = 20
"""Fewer leads of one group are not compared: as few wins as training refuses to learn from."""

ALARM_AUC, SUSPICIOUS_AUC = 0.80, 0.75
"""Columns written afterwards reach 0.79 to 1.00 (X Education's lead quality to Olist's closed-deal columns),
honest ones 0.76 at most (X Education's time on the website), and whole models 0.70 to 0.89."""
ALARM_GAP, SUSPICIOUS_GAP = 0.50, 0.20
"""Columns of the closed deals are filled for 80 to 100 percentage points more of one outcome (Olist's, SaaS
offers' loss reason), honest ones for 31 at most (X Education's occupation, asked for in the call). From 20
on, a high AUC is one more sign of the same thing."""
ALARM_PURITY, LEAST_COVERAGE, LEAST_RATE_RATIO = 0.90, 0.10, 10.0
"""Filled for hardly anybody but one outcome, and for at least a tenth of it: a reason that few people enter.
Below a tenth it may be a small honest campaign (X Education's Welingak website: 99 % won, 4 % of the wins).
Ten times as often, because where nearly all are lost, anything is nearly always lost: at equal age, Bank
Marketing's honest days since the previous campaign are filled 3 times as often for wins."""
LEAST_LEVEL_COVERAGE = 0.05
"""A value that belongs to won leads only is worth a look above that campaign's share of the wins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filling:
    """How often a column is filled in two groups of leads of the same time, the more filled one first."""

    first: str
    second: str
    rates: tuple[Rate, Rate]
    leads: tuple[int, int]
    gap: Bounded

    @property
    def facts(self) -> dict[str, str | float]:
        """What a sentence about the filling needs."""
        return {
            "first": self.first,
            "second": self.second,
            "rate_first": self.rates[0].value,
            "rate_second": self.rates[1].value,
            "leads_first": self.leads[0],
            "leads_second": self.leads[1],
        }


def value_findings(values: Values, cases: Cases) -> Iterator[Finding]:
    """Yield what one column's values give away, in the order of the checks."""
    by_outcome = _filling(values, cases, *_outcomes(cases))
    by_closing = _filling(values, cases, ("closed", cases.closed), ("open", ~cases.closed))
    found = list(_unequal_filling(values, cases, by_outcome, by_closing))
    if by_outcome is not None:
        found.extend(_single_feature(values, cases, by_outcome))
    yield from found
    if by_outcome is not None and not any(finding.severity == "error" for finding in found):
        yield from _pure_level(values, cases)


def _outcomes(cases: Cases) -> tuple[Group, Group]:
    others = "lost" if cases.all_others_lost else "not_won"
    return ("won", cases.won), (others, cases.finished & ~cases.won)


def _filling(values: Values, cases: Cases, *groups: Group) -> Filling | None:
    """Compare two groups of leads; None when one has too few."""
    leads = {name: int(members.sum()) for name, members in groups}
    if min(leads.values()) < LEAST_LEADS:
        return None
    (first, here), (second, there) = groups
    rates = rates_of_same_time(values.filled, here, there, cases.stratum)
    if rates[1].value > rates[0].value:
        first, second, rates = second, first, rates[::-1]
    return Filling(
        first=first,
        second=second,
        rates=rates,
        leads=(leads[first], leads[second]),
        gap=rate_gap(*rates),
    )


def _unequal_filling(
    values: Values, cases: Cases, by_outcome: Filling | None, by_closing: Filling | None
) -> Iterator[Finding]:
    """Yield the gravest of the ways in which a column is filled unequally."""
    found = (each for each in (by_outcome, by_closing) if each is not None)
    widest = max(found, key=lambda each: each.gap.low, default=None)
    severity = None if widest is None else _severity(widest.gap.low, ALARM_GAP, SUSPICIOUS_GAP)
    if severity != "error" and by_outcome is not None:
        exclusive = list(_filled_for_one_outcome(values, cases, by_outcome))
        if exclusive:
            yield from exclusive
            return
    if widest is not None and severity is not None:
        alarm = ALARM_GAP if severity == "error" else SUSPICIOUS_GAP
        facts = {**widest.facts, "gap": widest.gap.value, "gap_low": widest.gap.low, "alarm": alarm}
        yield make_finding("filled-only-when-closed", severity, values.name, facts)


def _severity(low: float, alarm: float, suspicious: float) -> Severity | None:
    if low >= alarm:
        return "error"
    return "warning" if low >= suspicious else None


def _filled_for_one_outcome(values: Values, cases: Cases, filling: Filling) -> Iterator[Finding]:
    """Yield an error when hardly anybody but leads of one outcome has a value, and enough of those do."""
    filled = values.filled & cases.finished
    wins = int((filled & cases.won).sum())
    count = int(filled.sum())
    purity = Rate(value=(wins if filling.first == "won" else count - wins) / max(count, 1), leads=count)
    purity_low = wilson(purity)[0]
    often, seldom = wilson(filling.rates[0])[0], wilson(filling.rates[1])[1]
    if purity_low >= ALARM_PURITY and often >= LEAST_COVERAGE and often >= LEAST_RATE_RATIO * seldom:
        seen = {"purity": purity.value, "purity_low": purity_low, "alarm": ALARM_PURITY}
        facts = {**filling.facts, **seen}
        phrase = "filled-for-one-outcome"
        yield make_finding("filled-only-when-closed", "error", values.name, facts, phrase=phrase)


def _single_feature(values: Values, cases: Cases, filling: Filling) -> Iterator[Finding]:
    auc = single_feature_auc(values, cases)
    if auc is None or auc.low < SUSPICIOUS_AUC:
        return
    facts = {"auc": auc.value, "auc_low": auc.low, "leads": int(cases.finished.sum())}
    code = "single-feature-auc"
    if auc.low < ALARM_AUC and filling.gap.low >= SUSPICIOUS_GAP:
        both = {**facts, **filling.facts, "alarm": SUSPICIOUS_AUC}
        yield make_finding(code, "error", values.name, both, phrase=f"{code}-and-filling")
        return
    severity: Severity = "error" if auc.low >= ALARM_AUC else "warning"
    alarm = ALARM_AUC if severity == "error" else SUSPICIOUS_AUC
    yield make_finding(code, severity, values.name, {**facts, "alarm": alarm})


def single_feature_auc(values: Values, cases: Cases) -> Bounded | None:
    """Return the best AUC that this column alone reaches over the finished leads; None when there is none.

    Levels (and ranges of numbers, null being one) are ordered by their win rate among other leads; numbers
    also by size, in both directions, null below or above them all.
    """
    judged = cases.finished
    scores = [out_of_fold_win_rates(values.code[judged], cases.won[judged], cases.fold[judged])]
    if values.number is not None:
        scores.extend(_by_size(values.number[judged]))
    won, stratum = cases.won[judged], cases.stratum[judged]
    found = [auc_of_same_time(score, won, stratum) for score in scores]
    return max((each for each in found if each is not None), key=lambda each: each.low, default=None)


def _by_size(number: FloatArray) -> Iterator[FloatArray]:
    missing = np.isnan(number)
    for end in (-np.inf, np.inf):
        upwards = np.where(missing, end, number)
        yield upwards
        yield -upwards


def _pure_level(values: Values, cases: Cases) -> Iterator[Finding]:
    """Yield a warning for the most frequent level that is won, nearly always, and seldom anything else."""
    if values.levels is None:
        return
    shown = values.filled & cases.finished
    n_levels = len(values.levels) + 1
    leads = np.bincount(values.code[shown], minlength=n_levels)
    wins = np.bincount(values.code[shown & cases.won], minlength=n_levels)
    level = int(wins.argmax())
    all_wins, all_others = int(cases.won.sum()), int((cases.finished & ~cases.won).sum())
    coverage, elsewhere = wins[level] / all_wins, (leads[level] - wins[level]) / all_others
    purity = Rate(value=float(wins[level] / max(leads[level], 1)), leads=float(leads[level]))
    purity_low = wilson(purity)[0]
    is_rare_elsewhere = coverage >= LEAST_RATE_RATIO * elsewhere
    if purity_low >= ALARM_PURITY and coverage >= LEAST_LEVEL_COVERAGE and is_rare_elsewhere:
        facts: dict[str, str | float] = {
            "level": values.levels[level - 1],
            "leads": int(leads[level]),
            "purity": purity.value,
            "purity_low": purity_low,
            "coverage": float(coverage),
        }
        yield make_finding("pure-level", "warning", values.name, facts)
