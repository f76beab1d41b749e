"""The reports on losses, wins and content against an independent count in SQL, on both databases."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
import time_machine
from typer.testing import CliRunner, Result

from features.history.store import History
from serving.commands.learnable import BAD_DATA, tell_bad_data
from serving.commands.report import app as report_app
from serving.operations.list_bad_data import list_bad_data
from serving.periods import ReportPeriod
from serving.settings import Settings
from tests.builders_feedback import BAD_CODES, Sent, play_story
from tests.builders_serving import Desk, Json, open_desk
from tests.oracles.feedback_sql import Count

ZONE = "Europe/Berlin"
DECEMBER = ReportPeriod(first=date(2026, 12, 1), last=date(2026, 12, 31), zone=ZONE)
PERIODS = (
    DECEMBER,
    ReportPeriod(first=date(2026, 12, 10), last=date(2027, 1, 5), zone=ZONE),
    ReportPeriod(first=date(2026, 1, 1), last=date(2027, 12, 31), zone=ZONE),
)


@dataclass
class Played:
    """A service after the story, what was sent to it, and the count over that."""

    desk: Desk
    sent: Sent
    count: Count

    def report(self, name: str, period: ReportPeriod, **asked: str | int) -> Json:
        """Read a report of a period."""
        days = {"from": period.first.isoformat(), "to": period.last.isoformat()}
        answer = self.desk.client.get(
            f"/v1/reports/{name}", params={**days, **asked}, headers={"X-API-Key": self.desk.key}
        )
        assert answer.status_code == 200, answer.text
        body: Json = answer.json()
        return body


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def played(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """Play the story once on each database."""
    root = tmp_path_factory.mktemp("story") / "workspace"
    is_sqlite = request.param == "sqlite"
    url = None if is_sqlite else request.getfixturevalue("cluster").new_database()
    desk = open_desk(Settings(workspace_root=root, database_url=url, mlflow_tracking_uri=None))
    sent = play_story(desk)
    yield Played(desk=desk, sent=sent, count=Count(sent, personas(desk, sent)))
    desk.client.close()
    desk.app.state.service.close()


def personas(desk: Desk, sent: Sent) -> dict[str, str]:
    """Return the persona of each lead as the service shows it."""
    headers = {"X-API-Key": desk.key}
    ids = [lead_id for lead_id, _source in sent.leads]
    return {one: desk.client.get(f"/v1/leads/{one}", headers=headers).json()["persona"] for one in ids}


def counts(rows: list[Json], *names: str, number: str = "count", of: str = "counted") -> dict[Any, int]:
    """Return the numbers of a table that are not 0, by what its rows are called."""
    return {tuple(row[name] for name in names): row[of][number] for row in rows if row[of][number]}


@pytest.mark.parametrize("period", PERIODS, ids=["month", "days", "two years"])
def test_losses(played: Played, period: ReportPeriod) -> None:
    """Every number, of this period and the one before, is the number of what was sent."""
    report = played.report("losses", period)
    for number, one in (("count", period), ("before", period.before)):
        span = (one.since, one.until)
        assert report["total"][number] == sum(played.count.ends_by("kind", *span).values())
        assert counts(report["kinds"], "kind", number=number) == played.count.ends_by("kind", *span)
        assert counts(report["groups"], "group", number=number) == played.count.ends_by("grp", *span)
        by_code = played.count.ends_by("grp, coalesce(code, 'unmapped')", *span)
        assert counts(report["reasons"], "group", "code", number=number) == by_code
        unmapped = sum(count for (_group, code), count in by_code.items() if code == "unmapped")
        assert (report["unmapped"][number], report["bad_data"][number]) == (
            unmapped,
            played.count.bad_data(*span),
        )
        for dimension, column in (
            ("persona", "persona"),
            ("source", "source"),
            ("content", "coalesce(asset, '')"),
        ):
            rows = [row for row in report["rows"] if row["dimension"] == dimension]
            expected = played.count.ends_by(f"{column}, grp", *span)
            assert counts(rows, "name", "group", number=number) == expected
    assert report["rows_left_out"] == 0


@pytest.mark.parametrize("period", PERIODS, ids=["month", "days", "two years"])
def test_wins(played: Played, period: ReportPeriod) -> None:
    """Every win is told, the newest first, with its content; every number is that of what was sent."""
    report = played.report("wins", period)
    wins = [one for one in played.sent.wins if period.holds(one[2])]
    assert [one["deal_id"] for one in report["wins"]] == [
        one[0] for one in sorted(wins, key=lambda one: (one[2], one[0]), reverse=True)
    ]
    assert report["amount"] == 100.0 * len(wins)
    for number, one in (("count", period), ("before", period.before)):
        for dimension, column in (
            ("persona", "persona"),
            ("source", "source"),
            ("content", "coalesce(asset, '')"),
        ):
            rows = [row for row in report["rows"] if row["dimension"] == dimension]
            expected = played.count.wins_by(column, one.since, one.until)
            assert counts(rows, "name", number=number) == expected
    for win in report["wins"]:
        assert [touch["at"] for touch in win["content"]] == sorted(touch["at"] for touch in win["content"])
        assert {touch["stage"] for touch in win["content"]} <= {"lead", "sql"}


@pytest.mark.parametrize("period", PERIODS, ids=["month", "days", "two years"])
def test_content(played: Played, period: ReportPeriod) -> None:
    """Objections per persona, those without content first; content before wins and losses per stage."""
    report = played.report("content", period)
    for number, one in (("count", period), ("before", period.before)):
        span = (one.since, one.until)
        assert counts(report["objections"], "objection", "persona", number=number) == (
            played.count.objections(*span)
        )
        for of, is_won in (("won", True), ("lost", False)):
            expected = played.count.content(is_won=is_won, since=span[0], until=span[1])
            assert counts(report["content"], "content", "persona", "stage", number=number, of=of) == expected
    backlog = {(row["objection"], row["persona"]) for row in report["objections"] if row["is_backlog"]}
    heard = set(played.count.objections(period.since, period.until))
    assert backlog == heard & played.count.without_content(period.until)
    assert report["backlog"] == len(backlog)
    assert {row["stage"] for row in report["objections"]} <= {"sql"}


def numbers_of(value: object) -> Iterator[Json]:
    """Yield every number of a report that has leads behind it."""
    if isinstance(value, dict):
        if "lead_ids" in value and "count" in value:
            yield value
        for inner in value.values():
            yield from numbers_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from numbers_of(inner)


@pytest.mark.parametrize("name", ["losses", "wins", "content"])
def test_the_leads_behind_a_number(played: Played, name: str) -> None:
    """Keys are unique, every number names its leads, and pages give all of them once, in order."""
    period = PERIODS[2]
    found = list(numbers_of(played.report(name, period)))
    assert len({one["key"] for one in found}) == len(found)
    assert all(one["change"] == one["count"] - one["before"] for one in found)
    most = max(found, key=lambda one: one["leads"])
    paged: list[str] = []
    after: dict[str, str | int] = {}
    while True:
        page = played.report(name, period, key=most["key"], limit=3, **after)["leads"]
        paged += page["lead_ids"]
        if not page["next_after"]:
            break
        after = {"after": page["next_after"]}
    assert len(paged) == most["leads"] > 3
    assert paged == sorted(set(paged))
    assert most["lead_ids"] == paged[:20]


def test_reports_read_in_german(played: Played) -> None:
    """Labels follow the language that is accepted; codes and numbers do not."""
    days = {"from": "2026-12-01", "to": "2026-12-31"}
    headers = {"X-API-Key": played.desk.key, "Accept-Language": "de-AT, en;q=0.5"}
    german = played.desk.client.get("/v1/reports/losses", params=days, headers=headers).json()
    english = played.report("losses", DECEMBER)
    assert [row["group"] for row in german["groups"]] == [row["group"] for row in english["groups"]]
    assert german["groups"][2]["label"] == "Daten"
    assert {row["label"] for row in german["kinds"]} >= {"Abschluss verloren", "vom Vertrieb abgelehnt"}
    assert german["unmapped_texts"] == english["unmapped_texts"]
    assert {row["text"] for row in english["unmapped_texts"]} <= {"went quiet", "nobody knows why"}


def ask(played: Played, *arguments: str) -> Result:
    """Run `leadpact report` in this process, as of the end of the story."""
    settings = played.desk.settings
    where = {"LEADPACT_WORKSPACE": str(settings.workspace.root), "LEADPACT_DATABASE_URL": settings.database}
    with time_machine.travel(played.desk.clock.tell(), tick=False):
        return CliRunner(env=where).invoke(report_app, [*arguments, "--from", "2026-12-01"])


def test_the_command_line_gives_the_same_reports(played: Played) -> None:
    """The same numbers as JSON; lines for people in both languages; the leads behind one number."""
    for name, german in (
        ("losses", "Daten: "),
        ("wins", "Was gewonnen wurde ("),
        ("content", "Einwände ohne"),
    ):
        report = played.report(name, DECEMBER)
        printed = json.loads(ask(played, name, "--json").stdout)
        assert list(numbers_of(printed)) == list(numbers_of(report))
        assert german in ask(played, name, "--lang", "de").stdout
        most = max(numbers_of(report), key=lambda one: one["leads"])
        assert ask(played, name, "--figure", most["key"]).stdout.split() == most["lead_ids"]
    lines = ask(played, "losses").stdout.splitlines()
    total = played.report("losses", DECEMBER)["total"]
    assert lines[0].endswith(f"(2026-12-01 – 2026-12-31): {total['count']} (before: {total['before']})")
    error = ask(played, "wins", "--figure", "x").exception
    assert str(error) == "--figure must be the key of a number of this report; got 'x'"


def test_bad_data_leaves_the_training_set(played: Played) -> None:
    """Whom sellers called no lead is told to training, and training does not see it."""
    settings = played.desk.settings
    with time_machine.travel(played.desk.clock.tell(), tick=False):
        tell_bad_data(settings)
    bad = {lead for lead, code in ((end[1], end[4]) for end in played.sent.ends) if code in BAD_CODES}
    history = History(settings.workspace.history_dir)
    assert set(history.left_out()[BAD_DATA]) == bad
    stored = set(history.read().leads.column("lead_id").to_pylist())
    learnt = history.read_to_learn()
    assert stored & bad
    assert set(learnt.leads.column("lead_id").to_pylist()) == stored - bad
    assert learnt.left_out == ((BAD_DATA, len(stored & bad)),)


def test_a_lead_after_all(played: Played) -> None:
    """A deal that is opened later says so: the next training sees the lead again."""
    desk = played.desk
    database = desk.app.state.service.database()
    first = list_bad_data(database, now=desk.clock.tell())[0]
    desk.clock.advance(60)
    item = {"deal_id": "D-after-all", "lead_id": first, "opened_at": desk.clock.tell().isoformat()}
    assert desk.post("/v1/deals", {"items": [item]}).status_code == 200
    assert first not in list_bad_data(database, now=desk.clock.tell())
