"""How a joint goal stands, in sentences both teams read, in German or English.

Decides the words; every number in them comes from the goal and its progress.
"""

from collections.abc import Iterator
from decimal import Decimal

from sla.always_valid import Share
from sla.goal import Goal, GoalProgress, GoalStatus, Metric, Period
from sla.texts import Text
from sla.words_numbers import date_text, number_text

METRICS: tuple[tuple[Metric, Text], ...] = (
    (
        Metric.CLOSE_RATE,
        Text(en="won deals among all that were closed", de="gewonnene unter allen Abschlüssen"),
    ),
    (
        Metric.LEAD_CONVERSION,
        Text(
            en="leads won within the horizon, among those whose horizon is over",
            de="im Zeitraum gewonnene Leads unter denen, deren Zeitraum vorbei ist",
        ),
    ),
)
STATUSES: tuple[tuple[GoalStatus, Text], ...] = (
    (GoalStatus.NOT_STARTED, Text(en="has not begun yet", de="hat noch nicht begonnen")),
    (
        GoalStatus.NO_BASELINE,
        Text(
            en="has no case in its baseline to be held against",
            de="hat keinen Vergleichsfall im Basiszeitraum",
        ),
    ),
    (
        GoalStatus.CANNOT_BE_TOLD_YET,
        Text(en="cannot be told yet: it may be chance", de="noch nicht zu beurteilen: es kann Zufall sein"),
    ),
    (
        GoalStatus.ON_TRACK,
        Text(en="on track, but it may still be chance", de="auf Kurs, es kann aber noch Zufall sein"),
    ),
    (
        GoalStatus.AHEAD,
        Text(en="ahead: the rise is more than chance", de="voraus: der Anstieg ist mehr als Zufall"),
    ),
    (GoalStatus.BEHIND, Text(en="behind the target", de="hinter dem Ziel")),
    (GoalStatus.REACHED, Text(en="reached", de="erreicht")),
)
METRIC = Text(en="Measured as: {metric}", de="Gemessen als: {metric}")
BASELINE = Text(en="Baseline, {period}: {share}", de="Basiszeitraum, {period}: {share}")
SO_FAR = Text(en="Goal period, {period}: {share}", de="Zielzeitraum, {period}: {share}")
TARGET_RELATIVE = Text(
    en="Target: {target} % more than in the baseline", de="Ziel: {target} % mehr als im Basiszeitraum"
)
TARGET_POINTS = Text(
    en="Target: {target} percentage points more than in the baseline",
    de="Ziel: {target} Prozentpunkte mehr als im Basiszeitraum",
)
BASELINE_DAYS = Text(en="Baseline: {period}", de="Basiszeitraum: {period}")
GOAL_DAYS = Text(en="Goal period: {period}", de="Zielzeitraum: {period}")
WANTED = Text(en="Wanted: {target} percentage points", de="Gewünscht: {target} Prozentpunkte")
CHANGE = Text(
    en="Change: {change} percentage points; {low} to {high} are possible, however often one looks",
    de="Veränderung: {change} Prozentpunkte; möglich sind {low} bis {high}, so oft man auch nachsieht",
)
NEEDED = Text(
    en="Needed to tell such a rise from chance ({power} likely): about {cases} cases in the goal period",
    de="Nötig, um einen solchen Anstieg von Zufall zu unterscheiden (zu {power}): "
    "rund {cases} Fälle im Zielzeitraum",
)
NEVER = Text(
    en="The baseline holds too few cases to ever tell a rise of this size from chance",
    de="Der Basiszeitraum hat zu wenige Fälle, um einen solchen Anstieg je von Zufall zu unterscheiden",
)
STATUS = Text(en="Status: {status}", de="Stand: {status}")
REWARD = Text(en="Reward: {reward}", de="Belohnung: {reward}")
SHARE = Text(en="{percent} ({won} of {cases})", de="{percent} ({won} von {cases})")
NO_CASE = Text(en="no case yet", de="noch kein Fall")
PERIOD = Text(en="{first} to {last}", de="{first} bis {last}")


def goal_sentences(goal: Goal, progress: GoalProgress, lang: str) -> tuple[str, ...]:
    """Return how a goal stands in German ("de") or English: its name, then one sentence per fact."""
    return tuple(_sentences(goal, progress, lang))


def agreed_goal(goal: Goal, lang: str) -> Iterator[str]:
    """Yield what is agreed of a goal, before anything is measured."""
    yield goal.label.in_language(lang)
    yield METRIC.in_language(lang).format(metric=dict(METRICS)[goal.metric].in_language(lang))
    if goal.target_relative is not None:
        yield TARGET_RELATIVE.in_language(lang).format(target=_hundredfold(goal.target_relative, lang))
    else:
        yield TARGET_POINTS.in_language(lang).format(target=number_text(goal.target_points or 0.0, lang))
    yield BASELINE_DAYS.in_language(lang).format(period=_days(goal.baseline, lang))
    yield GOAL_DAYS.in_language(lang).format(period=_days(goal.period, lang))
    yield REWARD.in_language(lang).format(reward=goal.reward.in_language(lang))


def status_text(status: GoalStatus, lang: str) -> str:
    """Return a status in words."""
    return dict(STATUSES)[status].in_language(lang)


def _sentences(goal: Goal, progress: GoalProgress, lang: str) -> Iterator[str]:
    yield goal.label.in_language(lang)
    yield STATUS.in_language(lang).format(status=status_text(progress.status, lang))
    yield METRIC.in_language(lang).format(metric=dict(METRICS)[goal.metric].in_language(lang))
    yield _in_period(BASELINE, goal.baseline, progress.baseline, lang)
    yield _in_period(SO_FAR, goal.period, progress.period, lang)
    if progress.target_change is not None:
        yield WANTED.in_language(lang).format(target=_points(progress.target_change, lang))
        yield _needed(goal, progress, lang)
    if progress.change is not None:
        interval = progress.change_interval
        yield CHANGE.in_language(lang).format(
            change=_points(progress.change, lang),
            low=_points(interval.low, lang),
            high=_points(interval.high, lang),
        )
    yield REWARD.in_language(lang).format(reward=goal.reward.in_language(lang))


def _needed(goal: Goal, progress: GoalProgress, lang: str) -> str:
    if progress.cases_needed is None:
        return NEVER.in_language(lang)
    power = f"{_hundredfold(goal.power, lang)} %"
    cases = number_text(_two_digits(progress.cases_needed), lang)
    return NEEDED.in_language(lang).format(cases=cases, power=power)


def _two_digits(number: int) -> int:
    """Return a number of which only the size is known, with two digits that say something."""
    return round(number, 2 - len(str(number)))


def _in_period(words: Text, period: Period, share: Share, lang: str) -> str:
    return words.in_language(lang).format(period=_days(period, lang), share=_share(share, lang))


def _days(period: Period, lang: str) -> str:
    first, last = (date_text(day, lang) for day in (period.first, period.last))
    return PERIOD.in_language(lang).format(first=first, last=last)


def _hundredfold(share: float, lang: str) -> str:
    """Return 100 times an agreed number with every decimal it was written with."""
    return number_text(float(Decimal(str(share)) * 100), lang)


def _share(share: Share, lang: str) -> str:
    if share.rate is None:
        return NO_CASE.in_language(lang)
    return SHARE.in_language(lang).format(
        percent=f"{number_text(round(100 * share.rate, 1), lang)} %",
        won=number_text(share.won, lang),
        cases=number_text(share.cases, lang),
    )


def _points(change: float, lang: str) -> str:
    """Return percentage points with a sign and one decimal."""
    rounded = round(Decimal(str(100 * change)), 1)
    sign = "+" if rounded > 0 else "−" if rounded < 0 else "±"
    return f"{sign}{number_text(float(abs(rounded)), lang)}"
