"""The error tree of features, training and serving.

The class says what happened; the edge (command line, HTTP) turns it into an exit code or a status.
`sla` has a tree of its own, because it may import the standard library only.
"""

from collections.abc import Sequence
from typing import Protocol


class ReportedProblem(Protocol):
    """Anything that can say in one line what is wrong, where, and by which rule."""

    def text(self) -> str:
        """One line that names the thing, the rule and the value."""


class LeadPactError(Exception):
    """Something failed that the input is not to blame for; the message says what to do next."""


class InputError(LeadPactError):
    """What the user gave is wrong; all problems are reported at once.

    Parameters
    ----------
    summary : one sentence that names the thing and the rule it breaks.
    problems : every single problem found, in the order of the input; empty when the summary says it all.
    """

    def __init__(self, summary: str, problems: Sequence[ReportedProblem] = ()) -> None:
        super().__init__(summary)
        self.summary = summary
        self.problems = tuple(problems)
