"""The leakage guard: every column of a CRM judged by name and values; all findings at once, gravest first.

Looks only at the leads and the instant it is told. Who refuses because of a finding is decided by the caller.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.leakage.cases import Cases, read_cases
from features.leakage.evidence import LEAST_LEADS, value_findings
from features.leakage.findings import SEVERITIES, UNMUTABLE, Finding
from features.leakage.names import denied_columns
from features.leakage.phrases import render
from features.leakage.shapes import duplicate_findings, shape_findings
from features.leakage.times import change_findings, time_findings
from features.leakage.values import read_values
from features.tables import CanonicalTables
from features.words.phrases import Language


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What the guard found, gravest first and then by column, and the leads it looked at.

    `won` and `others` are the finished leads whose outcomes the values were held against, `unfinished` the
    rest.
    """

    findings: tuple[Finding, ...]
    won: int
    others: int
    unfinished: int

    @property
    def refusing(self) -> tuple[Finding, ...]:
        """The errors that nobody has allowed."""
        return tuple(finding for finding in self.findings if finding.refuses)

    @property
    def compared(self) -> bool:
        """Whether there were enough leads of both outcomes to hold values against them."""
        return min(self.won, self.others) >= LEAST_LEADS

    def summary(self, lang: Language = "en") -> str:
        """Return one line: how many leads were looked at, what stops a training, and how to go on."""
        facts = {
            "errors": len(self.refusing),
            "won": self.won,
            "others": self.others,
            "open": self.unfinished,
            "least": LEAST_LEADS,
        }
        phrases = ["summary", "summary-refusing" if self.refusing else "summary-clear"]
        if not self.compared:
            phrases.insert(1, "summary-too-few")
        return " ".join(render(phrase, lang, facts) for phrase in phrases)

    def to_dict(self, lang: Language = "en") -> dict[str, object]:
        """Return the JSON-able form."""
        return {
            "refuses": bool(self.refusing),
            "findings": [finding.to_dict(lang) for finding in self.findings],
            "leads": {"won": self.won, "others": self.others, "unfinished": self.unfinished},
            "outcomes_compared": self.compared,
        }


def inspect(
    tables: CanonicalTables,
    *,
    lead_index: npt.NDArray[np.int64] | None = None,
    known_until_us: int | None,
) -> Inspection:
    """Judge every attribute column of the leads.

    Parameters
    ----------
    lead_index : int64 (n,), the rows of `tables.leads` to look at; all of them by default.
    known_until_us : outcomes and changes that came later (microseconds UTC) are not looked at; None for
        tables without times.

    A column that is denied by name or under `never` is left out anyway and is not judged further. One under
    `allow` is judged, and its findings carry the reason for which they refuse nothing.
    """
    rows = np.arange(tables.leads.num_rows, dtype=np.int64) if lead_index is None else lead_index
    cases = read_cases(tables, lead_index=rows, known_until_us=known_until_us)
    found = [_allowed(finding, tables) for finding in _judge(tables, cases)]
    place = {column: number for number, column in enumerate(tables.attribute_columns)}
    found.sort(key=lambda each: (SEVERITIES.index(each.severity), not each.refuses, place[each.column]))
    return Inspection(
        findings=tuple(found),
        won=int((cases.finished & cases.won).sum()),
        others=int((cases.finished & ~cases.won).sum()),
        unfinished=int((~cases.finished).sum()),
    )


def _judge(tables: CanonicalTables, cases: Cases) -> Iterator[Finding]:
    by_name = denied_columns(tables.attribute_columns, tables.crm)
    yield from by_name
    denied = frozenset(finding.column for finding in by_name)
    leads = tables.leads.take(pa.array(cases.row))
    for name in tables.attribute_columns:
        if name not in denied:
            yield from shape_findings(name, leads.column(name))
            yield from _judge_values(tables, name, cases)
    yield from duplicate_findings(leads, tables.attribute_columns, denied)


def _judge_values(tables: CanonicalTables, name: str, cases: Cases) -> Iterator[Finding]:
    is_time = pa.types.is_timestamp(tables.leads.schema.field(name).type)
    if is_time and not tables.has_times:
        return  # without a time of its own a lead has no age of anything, so no feature is made of it
    yield from value_findings(read_values(tables, name, cases), cases)
    if tables.has_times:
        yield from change_findings(tables, name, cases)
    if is_time:
        yield from time_findings(tables, name, cases)


def _allowed(finding: Finding, tables: CanonicalTables) -> Finding:
    """Mute a finding about a column that crm.toml allows by name and reason."""
    reasons = {each.column: each.reason for each in tables.crm.allow}
    if finding.column not in reasons or finding.code == UNMUTABLE:
        return finding
    return replace(finding, allowed=reasons[finding.column])
