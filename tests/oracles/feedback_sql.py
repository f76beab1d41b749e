"""Ends, wins and notes counted in SQL over what was sent: the independent answer the reports are held to."""

from collections.abc import Mapping
from datetime import datetime

import duckdb

from tests.builders_feedback import BAD_CODES, Sent

LOOK_BACK_DAYS = 90
TABLES = {
    "leads": "lead VARCHAR, source VARCHAR",
    "touches": "lead VARCHAR, id VARCHAR, moment TIMESTAMPTZ, asset VARCHAR, channel VARCHAR, stage VARCHAR",
    "ends": "id VARCHAR, lead VARCHAR, kind VARCHAR, moment TIMESTAMPTZ, code VARCHAR, grp VARCHAR",
    "wins": "id VARCHAR, lead VARCHAR, moment TIMESTAMPTZ, amount DOUBLE",
    "notes": "lead VARCHAR, moment TIMESTAMPTZ, objection VARCHAR, content VARCHAR",
}
VIEWS = f"""
CREATE VIEW channel_of AS
    SELECT lead, arg_min(channel, (moment, id)) AS channel FROM touches WHERE channel <> '' GROUP BY lead;
CREATE VIEW known AS
    SELECT lead, coalesce(source, channel, '') AS source, coalesce(persona, '') AS persona
    FROM leads LEFT JOIN channel_of USING (lead) LEFT JOIN personas USING (lead);
CREATE VIEW all_ends AS
    SELECT id, lead, moment, kind, code, coalesce(grp, '') AS grp FROM ends
    UNION ALL SELECT id, lead, moment, 'won', NULL, '' FROM wins;
CREATE VIEW content_before AS
    SELECT DISTINCT e.id, t.asset, t.stage
    FROM all_ends e JOIN touches t
      ON t.lead = e.lead AND t.asset <> '' AND t.moment <= e.moment
     AND t.moment > e.moment - INTERVAL {LOOK_BACK_DAYS} DAY;
"""  # noqa: S608 - a constant


class Count:
    """The tables of what was sent; every question is one query."""

    def __init__(self, sent: Sent, personas: Mapping[str, str]) -> None:
        self._db = duckdb.connect()
        for name, columns in TABLES.items():
            self._create(name, columns, getattr(sent, name))
        self._create("personas", "lead VARCHAR, persona VARCHAR", list(personas.items()))
        self._db.execute(VIEWS)

    def _create(self, name: str, columns: str, rows: list[tuple[object, ...]]) -> None:
        self._db.execute(f"CREATE TABLE {name} ({columns})")
        marks = ", ".join("?" * (columns.count(",") + 1))
        if rows:
            self._db.executemany(f"INSERT INTO {name} VALUES ({marks})", rows)  # noqa: S608

    def rows(self, query: str, since: datetime, until: datetime) -> dict[tuple[str, ...], int]:
        """Return the counts of a query over (name, …, count); `$since` and `$until` are filled in."""
        found = self._db.execute(query, {"since": since, "until": until}).fetchall()
        return {tuple(map(str, row[:-1])): int(row[-1]) for row in found}

    def ends_by(self, columns: str, since: datetime, until: datetime) -> dict[tuple[str, ...], int]:
        """Count ends without a win by columns of `all_ends`, `known` and, once per content, `asset`."""
        joined = "LEFT JOIN (SELECT DISTINCT id, asset FROM content_before) c USING (id)"
        query = (
            f"SELECT {columns}, count(*) FROM all_ends JOIN known USING (lead) "  # noqa: S608
            f"{joined if 'asset' in columns else ''} "
            "WHERE kind <> 'won' AND moment >= $since AND moment < $until GROUP BY ALL"
        )
        return self.rows(query, since, until)

    def wins_by(self, columns: str, since: datetime, until: datetime) -> dict[tuple[str, ...], int]:
        """Count wins likewise."""
        joined = "LEFT JOIN (SELECT DISTINCT id, asset FROM content_before) c USING (id)"
        query = (
            f"SELECT {columns}, count(*) FROM all_ends JOIN known USING (lead) "  # noqa: S608
            f"{joined if 'asset' in columns else ''} "
            "WHERE kind = 'won' AND moment >= $since AND moment < $until GROUP BY ALL"
        )
        return self.rows(query, since, until)

    def bad_data(self, since: datetime, until: datetime) -> int:
        """Count ends of leads that were none."""
        by_code = self.ends_by("coalesce(code, '')", since, until)
        return sum(count for (code,), count in by_code.items() if code in BAD_CODES)

    def content(self, *, is_won: bool, since: datetime, until: datetime) -> dict[tuple[str, ...], int]:
        """Count ends after each (content, persona, stage)."""
        query = (
            "SELECT asset, persona, stage, count(*) FROM all_ends JOIN content_before USING (id) "
            "JOIN known USING (lead) WHERE (kind = 'won') = $is_won "
            "AND moment >= $since AND moment < $until GROUP BY ALL"
        )
        return self.rows(query.replace("$is_won", str(is_won)), since, until)

    def objections(self, since: datetime, until: datetime) -> dict[tuple[str, ...], int]:
        """Count notes by (objection, persona)."""
        query = (
            "SELECT objection, persona, count(*) FROM notes JOIN known USING (lead) "
            "WHERE objection <> '' AND moment >= $since AND moment < $until GROUP BY ALL"
        )
        return self.rows(query, since, until)

    def without_content(self, until: datetime) -> set[tuple[str, ...]]:
        """Return the (objection, persona) no note until an instant names content for."""
        query = (
            "SELECT objection, persona, count(content) FROM notes JOIN known USING (lead) "
            "WHERE objection <> '' AND moment < $until AND moment > $since GROUP BY ALL"
        )
        found = self.rows(query, datetime(1970, 1, 1, tzinfo=until.tzinfo), until)
        return {cell for cell, count in found.items() if count == 0}
