"""One thing the leakage guard says about one column: code, severity, sentence, numbers, and how to settle it.

What is a finding is decided by `features.leakage.names` and by the checks; the sentences are in `phrases`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from features.leakage.phrases import ALLOWED, SETTLE, SEVERITY_WORDS, render
from features.words.phrases import Language

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
"""Gravest first."""

BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
UNMUTABLE = "never-and-allow"
"""A contradiction in crm.toml itself: `allow` cannot settle it, for it is half of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One coded observation about one column.

    `error`: training refuses until it is settled; `warning`: the column is left out, or needs a look; `note`:
    good to know. `numbers` are the figures of the sentence, shares and AUCs between 0 and 1. `allowed` is the
    reason for which crm.toml allows the column: the finding is shown and refuses nothing.
    """

    code: str
    severity: Severity
    column: str
    message: str
    message_de: str = ""
    numbers: tuple[tuple[str, float], ...] = ()
    allowed: str | None = None

    @property
    def refuses(self) -> bool:
        """Whether training refuses because of this."""
        return self.severity == "error" and self.allowed is None

    def text(self, lang: Language = "en") -> str:
        """Return one line: severity, sentence, how to settle it, code."""
        end = "" if self.settle(lang) is None else f"; {self.settle(lang)}"
        return f"{SEVERITY_WORDS[self.severity][lang]}: {self.sentence(lang)}{end} [{self.code}]"

    def sentence(self, lang: Language = "en") -> str:
        """Say what was found, with its numbers; in English where there is no German."""
        return self.message_de or self.message if lang == "de" else self.message

    def settle(self, lang: Language = "en") -> str | None:
        """Say how to settle an error, or why it is allowed; None where nothing has to be done."""
        if self.allowed is not None:
            return ALLOWED[lang].format(reason=self.allowed)
        if self.severity != "error" or self.code == UNMUTABLE:
            return None
        return SETTLE[lang].format(key=toml_key(self.column))

    def to_dict(self, lang: Language = "en") -> dict[str, object]:
        """JSON-able form."""
        return {
            "code": self.code,
            "severity": self.severity,
            "column": self.column,
            "message": self.sentence(lang),
            "numbers": dict(self.numbers),
            "allowed": self.allowed,
            "settle": self.settle(lang),
        }


def make_finding(
    code: str,
    severity: Severity,
    column: str,
    facts: Mapping[str, str | float],
    *,
    phrase: str | None = None,
) -> Finding:
    """Return a finding whose sentences are rendered from its facts; `phrase` names them when not the code."""
    said = {"column": column, "severity": severity, **facts}
    return Finding(
        code=code,
        severity=severity,
        column=column,
        message=render(phrase or code, "en", said),
        message_de=render(phrase or code, "de", said),
        numbers=tuple((name, float(fact)) for name, fact in facts.items() if not isinstance(fact, str)),
    )


def toml_key(name: str) -> str:
    """Return a column name as crm.toml needs it: bare, or quoted with backslashes before quotes."""
    if BARE_KEY.fullmatch(name):
        return name
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
