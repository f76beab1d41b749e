"""The policy as a file: TOML text -> Policy with every mistake at once, Policy -> TOML, and its hash.

This is the door; the keys are in `sla.policy_sections`, the rules between clauses in `sla.policy_checks`.
"""

import hashlib
import re
import tomllib
from collections.abc import Mapping
from typing import Any

from sla.errors import PolicyProblem, PolicyProblems
from sla.policy import Policy
from sla.policy_checks import Proposal
from sla.policy_fields import Reading
from sla.policy_lines import Path, line_numbers
from sla.policy_sections import read_sections
from sla.policy_writer import write_policy

__all__ = ["MOST_CHARACTERS", "Proposal", "policy_hash", "read_policy", "write_policy"]

MOST_CHARACTERS = 200_000
"""A policy that people sign is far shorter; a longer text is some other file."""

_PLACE = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)")


def read_policy(text: str | bytes, *, source: str = "policy", proposal: Proposal | None = None) -> Policy:
    """Return the policy a TOML text holds; `source` names the text in the error.

    With a `proposal` the effective date must not be over and must be nobody else's: what holds for a text
    that is proposed now, not for one that was signed long ago.
    Raises PolicyProblems with every mistake, each with line, path, rule and value.
    """
    written = _decode(text, source)
    values, lines = _parse(written, source)
    reading = Reading(lines)
    policy = read_sections(values, reading, proposal)
    if policy is None:
        raise PolicyProblems(source, reading.problems)
    return policy


def policy_hash(policy: Policy) -> str:
    """Return the SHA-256 (64 hex digits) of the policy's one written form: what a signature signs."""
    return hashlib.sha256(write_policy(policy).encode()).hexdigest()


def _decode(text: str | bytes, source: str) -> str:
    if len(text) > MOST_CHARACTERS:
        raise _whole_file(source, None, f"a policy must have at most {MOST_CHARACTERS} characters")
    try:
        written = text.decode() if isinstance(text, bytes) else text
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        found = f"the byte 0x{error.object[error.start]:02x}"
        raise _whole_file(source, line, "a policy must be UTF-8 text", found) from None
    if not written.strip("\ufeff \t\r\n"):
        raise _whole_file(source, None, "a policy must not be empty")
    return written.removeprefix("\ufeff")


def _parse(text: str, source: str) -> tuple[Mapping[str, Any], Mapping[Path, int]]:
    try:
        return tomllib.loads(text), line_numbers(text)
    except RecursionError:
        raise _whole_file(source, None, "a policy must not nest lists and tables that deeply") from None
    except ValueError as error:
        place = _PLACE.search(str(error))
        last_line = text.count("\n") + 1
        line = int(place[1]) if place is not None and place[1] else last_line
        rule = f"must be valid TOML: {_PLACE.sub('', str(error))}"
        raise _whole_file(source, line, rule) from None


def _whole_file(source: str, line: int | None, rule: str, value: str | None = None) -> PolicyProblems:
    return PolicyProblems(source, (PolicyProblem(line, "", rule, value),))
