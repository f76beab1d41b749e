"""What the reasons of ends count as: by the agreement in force when they are recorded.

A code that was sent must be one of its list. Without one the text is mapped; what it does not know keeps its
words and is counted as not mapped.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from serving.errors import ActProblem, NotAgreedError
from serving.handovers import Why
from serving.operations.active_policy import ActivePolicy, active_policy_in
from sla.clauses_feedback import FeedbackRule
from sla.feedback import code_end
from sla.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """What is agreed about closing feedback now; without a policy nothing."""

    policy: Policy | None = None

    @property
    def rule(self) -> FeedbackRule | None:
        """The list of reasons and who answers for them."""
        return None if self.policy is None else self.policy.feedback

    @property
    def version(self) -> int | None:
        """The version of the agreement that has a list."""
        return None if self.policy is None or self.rule is None else self.policy.version

    def why(self, *, group: str | None, code: str | None, text: str | None) -> Why:
        """Return what an end counts as."""
        coded = code_end(self.rule, group=group, code=code, text=text)
        return Why(group=coded.group, reason=text, code=coded.code, policy=self.version)


def agreed_now(session: Session, *, now: datetime) -> Agreed:
    """Return what is agreed at `now`."""
    active = active_policy_in(session, now=now)
    return Agreed(policy=active.policy if isinstance(active, ActivePolicy) else None)


def code_problem(agreed: Agreed, field: str, code: str | None) -> ActProblem | None:
    """Return what is wrong with a code that was sent, or None."""
    if code is None or (agreed.rule is not None and agreed.rule.reason(code) is not None):
        return None
    known = () if agreed.rule is None else tuple(one.code for one in agreed.rule.reasons)
    return ActProblem(field=field, rule=_must_be_listed(known), value=code)


def refuse_not_agreed(problems: Iterable[ActProblem | None]) -> None:
    """Raise `NotAgreedError` when there are any."""
    found = tuple(one for one in problems if one is not None)
    if found:
        raise NotAgreedError(found)


def reason_problems(
    agreed: Agreed, *, group: str | None, code: str | None, text: str | None
) -> Iterator[ActProblem]:
    """Yield what is wrong with a reason: without a code it needs a group and words."""
    problem = code_problem(agreed, "code", code)
    if problem is not None:
        yield problem
        return
    reason = None if agreed.rule is None else agreed.rule.reason(code)
    if reason is not None and group is not None and group != reason.group:
        rule = f"must be the group of the code, {reason.group}"
        yield ActProblem(field="reason_group", rule=rule, value=group)
    if code is None:
        for field, said in (("reason_group", group), ("reason", text)):
            if not said:
                yield ActProblem(field=field, rule="or code must be given")


def _must_be_listed(known: tuple[str, ...]) -> str:
    if not known:
        return "must be a code of the agreement in force, which lists none"
    return f"must be a code of the agreement in force: {', '.join(known)}"
