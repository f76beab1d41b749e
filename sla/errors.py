"""The error tree of the agreement. Light on purpose: the command line imports it at every start.

Decides how a broken rule and a list of policy mistakes look; the rules themselves live with the values.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

SHOWN_CHARACTERS = 80


class AgreementError(Exception):
    """Something about the agreement is wrong; the base of every error raised in `sla`."""


@dataclass(frozen=True, slots=True)
class BrokenRule:
    """One field of a value that breaks one rule; `rule` reads on after the field: "must be …".

    `against` names the other field when the rule holds two against each other.
    """

    field: str
    rule: str
    value: object
    against: str | None = None


class BrokenRulesError(AgreementError, ValueError):
    """A value of the agreement was built from parts that break its rules; all of them are named."""

    def __init__(self, thing: str, broken: tuple[BrokenRule, ...]) -> None:
        sentences = "; ".join(f"{thing}.{one.field} {one.rule}; got {shown(one.value)}" for one in broken)
        super().__init__(sentences)
        self.broken = broken


@dataclass(frozen=True, slots=True)
class PolicyProblem:
    """One mistake in a policy file: `line` from 1 (None when it has no place), path, rule and value."""

    line: int | None
    path: str
    rule: str
    value: str | None = None

    def place(self) -> str:
        """Where it is: "line 4: policy.valid_from"."""
        place = f"line {self.line}" if self.line is not None else "whole file"
        return f"{place}: {self.path}" if self.path else place

    def text(self) -> str:
        """One line that names the place, the rule and the value."""
        named = f"{self.place()} {self.rule}" if self.path else f"{self.place()}: {self.rule}"
        return named if self.value is None else f"{named}; got {self.value}"


class PolicyProblems(AgreementError):  # noqa: N818 - it is the list of problems, as the contract names it
    """A policy file breaks rules: every mistake at once, in the order of the file."""

    def __init__(self, source: str, problems: Iterable[PolicyProblem]) -> None:
        self.source = source
        self.problems = tuple(problems)
        super().__init__(self.text())

    def text(self) -> str:
        """Return the source and one indented line for each problem."""
        count = len(self.problems)
        head = f"{self.source} has {count} problem{'' if count == 1 else 's'}:"
        return "\n".join([head, *(f"  {problem.text()}" for problem in self.problems)])


def filled_only(thing: object, fields: tuple[str, ...]) -> Iterator[BrokenRule]:
    """Yield a broken rule for each text field that is empty."""
    for name in fields:
        if not getattr(thing, name).strip():
            yield BrokenRule(name, "must not be empty", getattr(thing, name))


def refuse_broken(thing: str, broken: Iterable[BrokenRule]) -> None:
    """Raise `BrokenRulesError` when there is any broken rule; the last line of every constructor check."""
    found = tuple(broken)
    if found:
        raise BrokenRulesError(thing, found)


def shown(value: object) -> str:
    """Return a value as a person would recognise it in the file, cut to 80 characters."""
    text = repr(value) if isinstance(value, (str, list, dict, tuple)) else str(value)
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"
