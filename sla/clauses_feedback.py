"""The clauses about closing feedback: coded reasons, who answers for a group of them, objections, disputes.

Each checks its own meaning when it is built; how they fit together is checked in `sla.policy_checks`. What
follows from them is decided in `sla.feedback`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from sla.clauses import MOST_RESPONSE, ONE_MINUTE, whole_number_only
from sla.errors import BrokenRule, filled_only, refuse_broken
from sla.handover import ReasonGroup
from sla.stages import Side
from sla.texts import Text

UNMAPPED = "unmapped"
"""Counted for a text that no code stands for; no code may be called so."""

NO_CONTACT = "no_contact"
"""The code of a lead that was never reached, where the agreement lists it."""

MOST_CODES, MOST_MATCHES = 200, 100
USUAL_LOOK_BACK_DAYS = 90
_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackGroup:
    """Who answers for the reasons of a group, and within how much open time of the side's hours."""

    group: ReasonGroup
    side: Side
    person: str
    within: timedelta

    def __post_init__(self) -> None:
        refuse_broken("group", (*filled_only(self, ("person",)), *answer_time_only("within", self.within)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One coded reason for which a lead is given back or a deal lost.

    `matches` are texts of the CRM that mean it, in any order. `bad_data` says that such a lead was none: it
    teaches nothing.
    """

    code: str
    group: ReasonGroup
    de: str
    en: str
    matches: tuple[str, ...] = ()
    bad_data: bool = False

    def __post_init__(self) -> None:
        refuse_broken("reason", self._broken_rules())
        object.__setattr__(self, "matches", tuple(sorted(self.matches)))

    @property
    def label(self) -> Text:
        """The reason in words."""
        return Text(en=self.en, de=self.de)

    def _broken_rules(self) -> Iterator[BrokenRule]:
        yield from code_only(self.code)
        yield from filled_only(self, ("de", "en"))
        if len(self.matches) > MOST_MATCHES:
            yield BrokenRule("matches", f"must list at most {MOST_MATCHES} texts", len(self.matches))
        for text in self.matches:
            if not plain(text):
                yield BrokenRule("matches", "must hold letters or digits", text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """What leads object to, as sellers tag it in their notes."""

    code: str
    de: str
    en: str

    def __post_init__(self) -> None:
        refuse_broken("objection", (*code_only(self.code), *filled_only(self, ("de", "en"))))

    @property
    def label(self) -> Text:
        """The objection in words."""
        return Text(en=self.en, de=self.de)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackRule:
    """What is agreed about closing feedback; the order in which its parts are written means nothing.

    What a lead touched in the `look_back_days` before it was won or lost counts as content before it.
    `source_attribute` says where a lead came from; None: the channel of its first activity does. A disputed
    score is answered by `dispute_side` within `dispute_within`; None: nothing is promised.
    """

    groups: tuple[FeedbackGroup, ...] = ()
    reasons: tuple[Reason, ...] = ()
    objections: tuple[Objection, ...] = ()
    look_back_days: int = USUAL_LOOK_BACK_DAYS
    source_attribute: str | None = None
    dispute_side: Side = Side.MARKETING
    dispute_within: timedelta | None = None

    def __post_init__(self) -> None:
        refuse_broken("feedback", self._broken_rules())
        order = tuple(ReasonGroup)
        by_group = sorted(self.groups, key=lambda one: order.index(one.group))
        by_code = sorted(self.reasons, key=lambda one: (order.index(one.group), one.code))
        object.__setattr__(self, "groups", tuple(by_group))
        object.__setattr__(self, "reasons", tuple(by_code))
        object.__setattr__(self, "objections", tuple(sorted(self.objections, key=lambda one: one.code)))

    def _broken_rules(self) -> Iterator[BrokenRule]:
        yield from whole_number_only("look_back_days", self.look_back_days, 1, 3650)
        if self.source_attribute is not None:
            yield from filled_only(self, ("source_attribute",))
        if self.dispute_within is not None:
            yield from answer_time_only("dispute_within", self.dispute_within)
        for name in ("reasons", "objections"):
            if len(getattr(self, name)) > MOST_CODES:
                yield BrokenRule(name, f"must list at most {MOST_CODES} codes", len(getattr(self, name)))
        yield from self._parts_that_do_not_fit()

    def _parts_that_do_not_fit(self) -> Iterator[BrokenRule]:
        """Yield what stands there twice, and reasons nobody answers for."""
        for name, values in (
            ("groups", [one.group.value for one in self.groups]),
            ("reasons", [one.code for one in self.reasons]),
            ("objections", [one.code for one in self.objections]),
        ):
            for value in _repeated(values):
                yield BrokenRule(name, "must not repeat a group or a code", value)
        for text in _repeated([plain(text) for one in self.reasons for text in one.matches]):
            yield BrokenRule("reasons", "must not list a text twice in matches", text)
        owned = {one.group for one in self.groups}
        for reason in self.reasons:
            if reason.group not in owned:
                rule = f'must have in [[feedback.groups]] who answers for "{reason.group}"'
                yield BrokenRule("reasons", rule, reason.code, against="groups")

    def group(self, group: ReasonGroup | str | None) -> FeedbackGroup | None:
        """Return who answers for a group, or None."""
        return next((one for one in self.groups if one.group == group), None)

    def reason(self, code: str | None) -> Reason | None:
        """Return the reason of a code, or None."""
        return next((one for one in self.reasons if one.code == code), None)

    def objection(self, code: str | None) -> Objection | None:
        """Return the objection of a code, or None."""
        return next((one for one in self.objections if one.code == code), None)


def _repeated(values: list[str]) -> list[str]:
    return sorted({value for value in values if values.count(value) > 1})


def plain(text: str) -> str:
    """Return a text as it is compared: letters and digits in small, one blank between words."""
    return " ".join("".join(one if one.isalnum() else " " for one in text.casefold()).split())


def code_only(code: str) -> Iterator[BrokenRule]:
    """Yield a broken rule for a code that is none, or that is kept for what has no code."""
    if _CODE.fullmatch(code) is None or code == UNMAPPED:
        rule = f"must be small letters, digits and _, a letter first, at most 40, and not {UNMAPPED}"
        yield BrokenRule("code", rule, code)


def answer_time_only(name: str, within: timedelta) -> Iterator[BrokenRule]:
    """Yield a broken rule for each limit a time to answer does not keep."""
    if not timedelta(0) < within <= MOST_RESPONSE:
        yield BrokenRule(name, "must be longer than 0 and at most 1000 h", within)
    if within % ONE_MINUTE:
        yield BrokenRule(name, "must be whole minutes", within)
