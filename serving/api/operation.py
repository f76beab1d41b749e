"""One row of the table of routes, as the OpenAPI document describes it."""

from dataclasses import dataclass

from serving.api.fields import Field
from serving.api.queries import Parameter
from serving.keys import Scope

BODY_PROBLEMS = (400, 401, 403, 408, 413, 415, 422, 503)
KEY_PROBLEMS = (401, 403, 503)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One row of the table of routes, as the document describes it."""

    method: str
    path: str
    operation_id: str
    summary: str
    about: str
    answer: Field | None
    answer_example: object
    problems: tuple[int, ...]
    body: Field | None = None
    body_example: object = None
    scope: Scope | None = None
    takes_language: bool = False
    acts_for_side: bool = False
    parameters: tuple[Parameter, ...] = ()
    changes_nothing: bool = False
    """Set for what writes nothing although it has a body, or can be done again as it is."""

    @property
    def takes_key(self) -> bool:
        """True for what writes: a caller may name the request, and it is done once."""
        return self.method != "get" and not self.changes_nothing
