"""crm.toml -> Mapping: what a CRM export says about itself, and one SQL query per table. No query runs here.

All problems of the file are found at once, each with its line; an unknown key is a problem.
"""

import tomllib
from collections.abc import Callable
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from features.crm import DEFAULT_HORIZON_DAYS, AgreedDirection, CrmSettings, Label, NamedReason
from features.errors import InputError
from features.importing.table_check import did_you_mean
from features.problems import Problem
from features.sources.toml_lines import KeyPath, lines_of_keys
from features.tables import LEADS, TABLE_NAMES

LONGEST_HORIZON_DAYS = 3650
NO_REASON_GIVEN = "named under [attributes] never"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableQuery:
    """The SQL that makes one canonical table; `line` is where it begins in the mapping file."""

    table: str
    sql: str
    line: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """What one crm.toml says. Without queries it only gives settings to files in canonical form.

    `naive_zone` is the zone of naive times, None when the file names no timezone.
    """

    file: str
    crm: CrmSettings
    queries: tuple[TableQuery, ...] = ()
    naive_zone: str | None = None


def read_mapping(file: Path) -> Mapping:
    """Read a mapping file; InputError names every problem in it."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"mapping file {file} does not exist") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"mapping file {file} cannot be read as UTF-8 text: {error}") from error
    return parse_mapping(text, file=file.name)


def parse_mapping(text: str, *, file: str = "crm.toml") -> Mapping:
    """Parse the text of a mapping; InputError carries one problem per mistake, with its line."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        problem = Problem(code="toml_syntax", file=file, rule=f"must be valid TOML: {error}")
        raise InputError(f"mapping {file} cannot be read", (problem,)) from error
    reader = MappingReader(file, data, lines_of_keys(text))
    mapping = reader.read()
    if reader.problems:
        raise InputError(f"mapping {file} has {len(reader.problems)} problem(s)", reader.problems)
    return mapping


class MappingReader:
    """Takes known keys out of the parsed file, one by one, and notes what does not fit."""

    def __init__(self, file: str, data: dict[str, Any], lines: Dictionary[KeyPath, int]) -> None:
        self.problems: list[Problem] = []
        self._file = file
        self._data = data
        self._lines = lines

    def read(self) -> Mapping:
        """Read every section; a value that is wrong becomes a problem and its default."""
        self._refuse_unknown((), SECTIONS)
        name = self._take(("crm", "name"), str, 'a name such as "acme"', _is_name, default=None)
        if name is None and not self.problems_at(("crm",)) and not self.problems_at(("crm", "name")):
            self._report(("crm", "name"), "missing_key", 'crm.toml must name the CRM: [crm] name = "acme"')
        zone = self._take(
            ("crm", "timezone"), str, 'an IANA zone such as "Europe/Berlin"', _is_zone, default=None
        )
        for section, known in KNOWN_KEYS.items():
            self._refuse_unknown((section,), known)
        settings = CrmSettings(
            name=name or "crm",
            timezone=zone or "UTC",
            never=self._reasons("never"),
            allow=self._reasons("allow"),
            horizon_days=self._horizon(),
            exported_at=self._exported_at(ZoneInfo(zone or "UTC"), is_named=zone is not None),
            attribute_labels=self._labels("attributes"),
            activity_labels=self._labels("activities"),
            channel_labels=self._labels("channels"),
            monotone=self._monotone(),
        )
        return Mapping(file=self._file, crm=settings, queries=self._queries(), naive_zone=zone)

    def problems_at(self, path: KeyPath) -> bool:
        """Whether this key has been found wrong already."""
        return any(problem.column == ".".join(path) for problem in self.problems)

    def _report(self, path: KeyPath, code: str, rule: str, value: object = None) -> None:
        self.problems.append(
            Problem(
                code=code,
                file=self._file,
                row=next(
                    (self._lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in self._lines), None
                ),
                column=".".join(path),
                value=None if value is None else str(value),
                rule=rule,
            )
        )

    def _table(self, path: KeyPath) -> dict[str, Any]:
        """Return the TOML table at a path; an absent one is empty, another kind of value a problem."""
        value: Any = self._data
        for depth, name in enumerate(path, start=1):
            value = value.get(name, {})
            if not isinstance(value, dict):
                if not self.problems_at(path[:depth]):
                    self._report(path[:depth], "wrong_type", "must be a table", value)
                return {}
        return dict(value)

    def _refuse_unknown(self, path: KeyPath, known: tuple[str, ...]) -> None:
        for key in self._table(path):
            if key not in known:
                rule = f"is no known key; known are {', '.join(known)}" + did_you_mean(key, known)
                self._report((*path, key), "unknown_key", rule)

    def _take(
        self,
        path: KeyPath,
        kind: type | tuple[type, ...],
        rule: str,
        is_fit: Callable[[Any], bool],
        *,
        default: Any,
    ) -> Any:
        value = self._table(path[:-1]).get(path[-1])
        if value is None:
            return default
        if not isinstance(value, kind) or isinstance(value, bool) or not is_fit(value):
            self._report(path, "wrong_value", f"must be {rule}", value)
            return default
        return value

    def _horizon(self) -> int:
        rule = f"a whole number of days from 1 to {LONGEST_HORIZON_DAYS}"
        path = ("label", "horizon_days")
        days = self._take(
            path, int, rule, lambda days: 1 <= days <= LONGEST_HORIZON_DAYS, default=DEFAULT_HORIZON_DAYS
        )
        return int(days)

    def _exported_at(self, zone: ZoneInfo, *, is_named: bool) -> datetime | None:
        """Return the last instant the export knows: a date means until the end of that day."""
        rule = "a TOML date or time without quotes, such as 2026-11-23 or 2026-11-23T09:00:00Z"
        path = ("label", "exported_at")
        value = self._take(path, (datetime, date), rule, _is_plausible_date, default=None)
        if value is None:
            return None
        if isinstance(value, datetime) and value.tzinfo is not None:
            return value.astimezone(UTC)
        if not is_named:
            self._report(path, "naive_time", "needs a zone such as Z, or [crm] timezone", value)
            return None
        if isinstance(value, datetime):
            return value.replace(tzinfo=zone).astimezone(UTC)
        next_day = datetime.combine(value + timedelta(days=1), time(), tzinfo=zone)
        return next_day.astimezone(UTC) - timedelta(microseconds=1)

    def _reasons(self, key: str) -> tuple[NamedReason, ...]:
        path = ("attributes", key)
        value: Any = self._table(path[:-1]).get(key, {})
        if isinstance(value, list) and key == "never":
            value = (
                dict.fromkeys(value, NO_REASON_GIVEN)
                if all(isinstance(each, str) for each in value)
                else None
            )
        if not isinstance(value, dict) or not all(
            isinstance(reason, str) and reason for reason in value.values()
        ):
            kinds = 'a table column = "reason"' + (" or a list of column names" if key == "never" else "")
            self._report(path, "wrong_type", f"must be {kinds}", self._table(path[:-1])[key])
            return ()
        return tuple(NamedReason(column=column, reason=reason) for column, reason in value.items())

    def _labels(self, kind: str) -> tuple[Label, ...]:
        labels = []
        for name in self._table(("labels", kind)):
            path = ("labels", kind, name)
            self._refuse_unknown(path, ("de", "en"))
            words = {
                language: self._take((*path, language), str, "a text", bool, default=None)
                for language in ("de", "en")
            }
            for language in (each for each, text in words.items() if text is None):
                if not self.problems_at((*path, language)):
                    self._report((*path, language), "missing_key", "a label needs both de and en")
            labels.append(Label(name=name, de=words["de"] or name, en=words["en"] or name))
        return tuple(labels)

    def _monotone(self) -> tuple[AgreedDirection, ...]:
        directions = []
        for feature in self._table(("monotone",)):
            rule = "1 (more is better) or -1 (more is worse)"
            value = self._take(("monotone", feature), int, rule, lambda value: value in (1, -1), default=None)
            if value is not None:
                directions.append(AgreedDirection(feature=feature, direction=value))
        return tuple(directions)

    def _queries(self) -> tuple[TableQuery, ...]:
        queries = []
        for table in TABLE_NAMES:
            path = ("tables", table)
            sql = self._take(
                path, str, "one SQL query as text", lambda text: bool(text.strip()), default=None
            )
            if sql is not None:
                queries.append(TableQuery(table=table, sql=sql, line=self._lines.get(path)))
        if "tables" in self._data and LEADS not in self._table(("tables",)):
            self._report(("tables", LEADS), "missing_key", "[tables] must say how leads are made")
        return tuple(queries)


SECTIONS = ("crm", "tables", "attributes", "label", "labels", "monotone")
KNOWN_KEYS = {
    "crm": ("name", "timezone"),
    "tables": TABLE_NAMES,
    "attributes": ("never", "allow"),
    "label": ("horizon_days", "exported_at"),
    "labels": ("attributes", "activities", "channels"),
}


def _is_name(name: str) -> bool:
    return bool(name.strip()) and name.isprintable() and len(name) <= 100


def _is_zone(name: str) -> bool:
    return name in available_timezones()


def _is_plausible_date(value: date) -> bool:
    return 1900 <= value.year < 2200
