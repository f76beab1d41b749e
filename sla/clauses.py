"""The clauses of the agreement: thresholds, overrides, disqualifiers, response times, attempts, content.

Each checks its own meaning when it is built. How clauses fit together is checked in `sla.policy_checks`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sla.errors import BrokenRule, filled_only, refuse_broken
from sla.personas import Condition
from sla.stages import SCORED_STAGES, Stage
from sla.texts import Text

FIRST_YEAR, LAST_YEAR = 1970, 9000
"""Times of leads and policies lie here, so that every deadline after them still fits the calendar."""

MOST_RESPONSE = timedelta(hours=1000)
"""No response time is longer than this open time: half a year of full weeks."""

ON_SIGNATURE = "signed"
"""Written for an effective date: the policy is in force as soon as both sides have signed."""

ONE_MINUTE = timedelta(minutes=1)

HOURS_PER_BUSINESS_DAY = 8
"""A "d" in a duration is this much open time; the rendered policy shows both."""


def whole_number_only(name: str, value: int, least: int, most: int) -> Iterator[BrokenRule]:
    """Yield a broken rule when a number is not whole or outside [least, most]."""
    if type(value) is not int or not least <= value <= most:
        yield BrokenRule(name, f"must be a whole number from {least} to {most}", value)


def scored_stage_only(stage: Stage) -> Iterator[BrokenRule]:
    """Yield a broken rule for a stage that no score and no action leads to."""
    if stage not in SCORED_STAGES:
        yield BrokenRule("stage", "must be mql or sql", stage.value)


def known_instant_only(name: str, instant: datetime) -> Iterator[BrokenRule]:
    """Yield a broken rule when an instant has no zone or lies outside the calendar we promise."""
    if instant.utcoffset() is None:
        yield BrokenRule(name, "must have a time zone", instant.isoformat())
    if not FIRST_YEAR <= instant.year <= LAST_YEAR:
        yield BrokenRule(name, f"must lie in the years {FIRST_YEAR} to {LAST_YEAR}", instant.isoformat())


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A stage is entered at probability `enter` and left only below `exit`; `persona` None means everyone."""

    stage: Stage
    persona: str | None = None
    enter: float
    exit: float

    def __post_init__(self) -> None:
        refuse_broken("threshold", self._broken_rules())

    def _broken_rules(self) -> Iterator[BrokenRule]:
        yield from scored_stage_only(self.stage)
        for name in ("enter", "exit"):
            if not 0.0 < getattr(self, name) < 1.0:
                yield BrokenRule(name, "must be a probability above 0 and below 1", getattr(self, name))
        if self.exit > self.enter:
            yield BrokenRule("exit", f"must not be above enter ({self.enter})", self.exit, against="enter")


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """An action that lifts a lead to a stage at once, whatever its probability.

    `en` and `de` name the action so that "2 days ago" can follow: "asked for a demo", "Demo-Anfrage".
    """

    name: str
    activity_kind: str
    within_days: int
    stage: Stage
    de: str
    en: str

    def __post_init__(self) -> None:
        refuse_broken("override", self._broken_rules())

    def _broken_rules(self) -> Iterator[BrokenRule]:
        yield from filled_only(self, ("name", "activity_kind", "de", "en"))
        yield from scored_stage_only(self.stage)
        yield from whole_number_only("within_days", self.within_days, 1, 3650)

    @property
    def label(self) -> Text:
        """The action in both languages."""
        return Text(en=self.en, de=self.de)


@dataclass(frozen=True, slots=True, kw_only=True)
class Disqualifier:
    """A trait that takes a lead out; all `conditions` must hold. `en` and `de` complete "disqualified: …"."""

    name: str
    conditions: tuple[Condition, ...]
    de: str
    en: str

    def __post_init__(self) -> None:
        refuse_broken("disqualifier", self._broken_rules())

    def _broken_rules(self) -> Iterator[BrokenRule]:
        yield from filled_only(self, ("name", "de", "en"))
        if not self.conditions:
            yield BrokenRule("conditions", "must have at least one condition", self.conditions)

    @property
    def label(self) -> Text:
        """The trait in both languages."""
        return Text(en=self.en, de=self.de)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseTime:
    """The owner of a stage answers within this much open time; `persona` None means everyone."""

    stage: Stage
    persona: str | None = None
    within: timedelta

    def __post_init__(self) -> None:
        refuse_broken("response", self._broken_rules())

    def _broken_rules(self) -> Iterator[BrokenRule]:
        yield from scored_stage_only(self.stage)
        if not timedelta(0) < self.within <= MOST_RESPONSE:
            yield BrokenRule("within", "must be longer than 0 and at most 1000 h", self.within)
        if self.within % ONE_MINUTE:
            yield BrokenRule("within", "must be whole minutes", self.within)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRule:
    """How often sales tries to reach a lead, at least and at most; `spacing_hours` counts nights too."""

    least: int
    most: int
    spacing_hours: int
    channels: tuple[str, ...]

    def __post_init__(self) -> None:
        refuse_broken("attempts", self._broken_rules())

    def _broken_rules(self) -> Iterator[BrokenRule]:
        yield from whole_number_only("least", self.least, 1, 100)
        yield from whole_number_only("most", self.most, 1, 100)
        yield from whole_number_only("spacing_hours", self.spacing_hours, 0, 24 * 90)
        if self.least > self.most:
            yield BrokenRule("least", f"must not be above most ({self.most})", self.least, against="most")
        if not self.channels or not all(channel.strip() for channel in self.channels):
            yield BrokenRule("channels", "must list at least one channel, none empty", self.channels)
        if len(set(self.channels)) < len(self.channels):
            yield BrokenRule("channels", "must not repeat a channel", self.channels)


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A piece of content for leads of a stage; `persona` None means everyone."""

    persona: str | None = None
    stage: Stage
    title: str
    url: str | None = None

    def __post_init__(self) -> None:
        refuse_broken("content", self._broken_rules())

    def _broken_rules(self) -> Iterator[BrokenRule]:
        yield from filled_only(self, ("title",))
        if self.url is not None and not self.url.startswith(("https://", "http://")):
            yield BrokenRule("url", "must start with https:// or http://", self.url)
