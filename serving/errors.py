"""What can go wrong in the service, as meaning; `serving.api.errors` turns meaning into a status."""

from dataclasses import dataclass

from features.errors import InputError, LeadPactError
from sla.texts import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Something the service needs and has not: what, why, and the command that gets it."""

    thing: str
    reason: str
    fix: str

    def text(self) -> str:
        """One sentence for people."""
        return f"{self.reason}: {self.fix}" if self.fix else self.reason


CHECK_DATABASE = "start it, or check LEADPACT_DATABASE_URL"


class ServiceNotReadyError(LeadPactError):
    """A score was asked for while a part is missing; passes as soon as somebody provides it."""

    def __init__(self, missing: tuple[Missing, ...]) -> None:
        super().__init__("; ".join(part.text() for part in missing))
        self.missing = missing


class DatabaseUnreachableError(LeadPactError):
    """The database does not answer or refuses the connection; passes by itself or by repair."""

    def as_missing(self) -> Missing:
        """Return it as a part that is missing."""
        return Missing(thing="database", reason=str(self), fix=CHECK_DATABASE)


class ModelRefusedError(LeadPactError):
    """A model directory did not pass its checks; the model in service goes on."""


class KeyRefusedError(LeadPactError):
    """No key, an unknown, wrong, expired or revoked one: deliberately not told apart."""


class ScopeMissingError(LeadPactError):
    """The key is good, but not for this."""

    def __init__(self, scope: str) -> None:
        super().__init__(f"this key lacks the scope '{scope}'")
        self.scope = scope


class UnknownLeadError(LeadPactError):
    """No lead of this id in the history."""

    def __init__(self, lead_id: str) -> None:
        super().__init__(f"lead {lead_id!r} is not in the history")
        self.lead_id = lead_id


class ErasedLeadError(LeadPactError):
    """The persons of these leads were erased; nothing about them is taken any more."""

    def __init__(self, lead_ids: tuple[str, ...]) -> None:
        named = ", ".join(map(repr, lead_ids[:5])) + (" and others" if len(lead_ids) > 5 else "")
        super().__init__(f"erased on request, nothing is taken or kept: {named or 'the lead of this answer'}")
        self.lead_ids = lead_ids


class ObjectedError(LeadPactError):
    """The person of a lead objected to being scored."""

    def __init__(self, lead_id: str) -> None:
        super().__init__(f"the person of lead {lead_id!r} objected: it is not scored")
        self.lead_id = lead_id


class UnknownPolicyError(InputError):
    """No policy of this version."""

    def __init__(self, version: int | str) -> None:
        super().__init__(f"there is no policy version {version}; propose it first")
        self.version = version


class UnknownHandoverError(LeadPactError):
    """No handover of this id."""

    def __init__(self, handover_id: str) -> None:
        super().__init__(f"there is no handover {handover_id!r}")
        self.handover_id = handover_id


class HandoverOverError(LeadPactError):
    """The handover has ended, or was never sales': what was asked for cannot happen to it any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActProblem:
    """One field of an act that breaks a rule of the agreement; `value` is what was sent, as text."""

    field: str
    rule: str
    value: str | None = None

    def text(self) -> str:
        """One line that names the field, the rule and the value."""
        named = f"{self.field} {self.rule}"
        return named if self.value is None else f"{named}; got {self.value}"


class ActRefusedError(InputError):
    """An act breaks rules that only the facts of its handover or score tell: every one of them."""

    def __init__(self, problems: tuple[ActProblem, ...]) -> None:
        super().__init__("this cannot have happened so", problems)
        self.act_problems = problems


class NotAgreedError(ActRefusedError):
    """An act names what the agreement in force does not: a group, a code, an objection."""

    def __init__(self, problems: tuple[ActProblem, ...]) -> None:
        InputError.__init__(self, "the agreement in force does not know this", problems)
        self.act_problems = problems


class UnknownDisputeError(LeadPactError):
    """No dispute of this id."""

    def __init__(self, dispute_id: str) -> None:
        super().__init__(f"there is no dispute {dispute_id!r}")
        self.dispute_id = dispute_id


class AlreadyAnsweredError(LeadPactError):
    """There is nothing to answer, or somebody answered it before in other words."""


class OtherRequestError(LeadPactError):
    """The name of a request was used for another one before."""


class StillRunningError(LeadPactError):
    """The first request of this name is under way; it passes by itself."""


class PolicyRefusedError(InputError):
    """An act on a policy breaks a rule of the agreement (wrong state, wrong side, same person twice)."""

    def __init__(self, why: Text) -> None:
        super().__init__(why.en)
        self.why = why
