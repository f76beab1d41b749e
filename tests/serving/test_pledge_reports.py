"""Reports of pledges and load at the door: cut, paged, in two languages, no people unless allowed."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from features.errors import InputError
from serving.commands.report import app as report_app
from serving.settings import Settings
from tests.builders_serving import NOW, Desk, Json, install_policy, open_desk, policy_version
from tests.serving.conftest import closing
from tests.serving.test_handovers import act, ask_for_demo, work_policy

LEADS = tuple(f"R{number:02d}" for number in range(7))
NAMES = ("funnel", "pledges", "response", "workload", "goal")


def settle_leads(settings: Settings) -> Desk:
    """Return a service in which seven leads asked for a demo; one was tried, one is won."""
    desk = open_desk(settings)
    install_policy(settings, work_policy())
    handovers = [ask_for_demo(desk, lead_id)["handover_id"] for lead_id in LEADS]
    desk.clock.advance(3600)
    act(desk, handovers[0], "attempts", channel="phone", result="no_answer")
    deal = {"deal_id": "D1", "lead_id": LEADS[1], "outcome": "won", "amount": 100.5}
    days = {"closed_at": NOW.isoformat(), "planned_close_at": (NOW + timedelta(hours=2)).isoformat()}
    assert desk.post("/v1/deals", {"items": [deal | days]}).status_code == 200
    return desk


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Return that service, shared by tests that only read."""
    root = tmp_path_factory.mktemp("reports") / "workspace"
    yield from closing(settle_leads(Settings(workspace_root=root, mlflow_tracking_uri=None)))


def read(desk: Desk, query: str, **headers: str) -> Any:
    """Read a report."""
    return desk.client.get(f"/v1/reports/{query}", headers={"X-API-Key": desk.key, **headers})


def figures(answer: Json) -> dict[str, Json]:
    """Return the figures of a report by key."""
    return {one["key"]: one for one in answer["figures"]}


def test_leads_behind_a_figure_are_paged(desk: Desk) -> None:
    """Every page is short, none is missing, and the rest of the report is left out."""
    whole = figures(read(desk, "pledges?limit=1000").json())["marketing/leads"]
    assert (whole["value"], whole["leads"]) == (7, list(LEADS))
    found, after = [], ""
    for _ in range(4):
        query = "pledges?figure=marketing/leads&limit=2" + (f"&after={after}" if after else "")
        page = read(desk, query).json()
        (figure,) = page["figures"]
        assert (figure["leads_total"], len(figure["leads"]) <= 2) == (7, True)
        found += figure["leads"]
        after = page["next_after"]
    assert (found, after) == (list(LEADS), "")
    assert figures(read(desk, "pledges?limit=0").json())["marketing/leads"]["leads"] == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("pledges?figure=nonsense", "?figure"),
        ("funnel?from=2026-13-01", "?from"),
        ("funnel?from=2026-11-02&to=2026-11-01", "?to"),
        ("response?limit=-1", "?limit"),
    ],
)
def test_wrong_questions_are_named(desk: Desk, query: str, field: str) -> None:
    """An unknown figure, a day that is none, a period backwards: each with its parameter."""
    answer = read(desk, query)
    assert answer.status_code == 422, answer.text
    assert [one["field"] for one in answer.json()["errors"]] == [field]


@pytest.mark.parametrize("name", NAMES)
def test_both_languages_say_the_same_numbers(desk: Desk, name: str) -> None:
    """German by Accept-Language: the same keys and values, other words."""
    english, german = read(desk, name).json(), read(desk, name, **{"Accept-Language": "de-DE"}).json()
    numbers = ("key", "value", "target", "due", "before", "status", "leads")
    assert [[one[field] for field in numbers] for one in english["figures"]] == [
        [one[field] for field in numbers] for one in german["figures"]
    ]
    assert english["title"] != german["title"]
    assert english["figures"]
    assert all(one["label"] and "{" not in one["label"] for one in german["figures"])


def test_the_numbers_of_a_small_team(desk: Desk) -> None:
    """Seven SQLs of one morning: one tried, one won and so answered, four with a seller, two waiting."""
    pledges = figures(read(desk, "pledges").json())
    assert (pledges["sales/answered_in_time"]["value"], pledges["sales/answered_in_time"]["target"]) == (
        1.0,
        0.9,
    )
    assert pledges["sales/answered_in_time.pending"]["leads_total"] == 5
    assert pledges["sales/least_attempts.kept"]["leads"] == [LEADS[1]]
    workload = figures(read(desk, "workload").json())
    assert (workload["sales/open_sqls"]["value"], workload["sales/attempts_owed"]["value"]) == (6, 17)
    assert workload["sales/hours_now"]["value"] == pytest.approx(6 * 1.5 + 17 * 0.25)
    assert pledges["planned/won_on_time"]["leads"] == [LEADS[1]]
    assert pledges["planned/won_on_time.amount"]["value"] == 100.5
    funnel = figures(read(desk, "funnel").json())
    assert funnel["all/customer.reached"]["leads"] == [LEADS[1]]
    assert funnel["model=7/sql.reached"]["value"] == 7
    goal = read(desk, "goal").json()
    assert figures(goal)["period/won"]["value"] == 1
    assert goal["sentences"][0] == "Raise the close rate by 10 %"


@pytest.mark.parametrize("is_allowed", [False, True])
def test_people_are_named_only_where_the_operator_says_so(tmp_path: Path, is_allowed: bool) -> None:
    """Nobody who asks can switch it on; without the switch there is not even a name."""
    settings = Settings(
        workspace_root=tmp_path / "workspace", mlflow_tracking_uri=None, reports_per_person=is_allowed
    )
    for desk in closing(settle_leads(settings)):
        for name in ("response", "workload"):
            answer = read(desk, f"{name}?per_person=true")
            named = {one["section"] for one in answer.json()["figures"]} & {
                "person=Jonas Weber",
                "person=Sue Kim",
            }
            assert len(named) == (2 if is_allowed else 0)
            assert ("Jonas" in answer.text) is is_allowed


def test_a_month_is_held_against_the_policy_of_its_last_day(tmp_path: Path) -> None:
    """An agreement that begins at midnight after it is not asked; in the next month it is."""
    settings = Settings(workspace_root=tmp_path / "workspace", mlflow_tracking_uri=None)
    for desk in closing(open_desk(settings)):
        later = policy_version(2, valid_from="2026-12-01").replace("leads = 60", "leads = 90", 1)
        install_policy(settings, later)
        desk.clock.advance(40 * 24 * 3600)
        for month, version, leads in (("11", "1", 60), ("12", "2", 90)):
            answer = read(desk, f"pledges?from=2026-{month}-01").json()
            assert answer["policy_version"] == version
            assert figures(answer)["marketing/leads"]["target"] == leads


def test_without_an_agreement_numbers_stand_alone(empty_desk: Desk) -> None:
    """No target, no status, and a sentence that says so; there is no goal to report."""
    pledges = read(empty_desk, "pledges").json()
    assert (pledges["zone"], pledges["policy_version"], len(pledges["sentences"])) == ("UTC", "", 1)
    assert {(one["target"], one["status"]) for one in pledges["figures"]} == {(None, "")}
    goal = read(empty_desk, "goal").json()
    assert (goal["figures"], goal["sentences"]) == ([], ["No joint goal is agreed."])
    workload = read(empty_desk, "workload").json()
    assert figures(workload)["sales/load"]["value"] is None
    assert workload["sentences"] == ["No capacity is agreed: the load is not held against anything."]


def ask(desk: Desk, *arguments: str) -> Result:
    """Run `leadpact report` in this process."""
    return CliRunner().invoke(report_app, [*arguments, "--workspace", str(desk.settings.workspace.root)])


def test_the_command_line_gives_the_same_report(desk: Desk) -> None:
    """The same keys and leads; wrong names, days and figures are one sentence."""
    days = ("--from", "2026-11-01", "--to", "2026-11-30")
    answer = json.loads(ask(desk, "pledges", *days, "--json").stdout)
    same = read(desk, "pledges?from=2026-11-01&to=2026-11-30").json()
    assert [one["key"] for one in answer["figures"]] == [one["key"] for one in same["figures"]]
    assert figures(answer)["marketing/leads"]["leads"] == list(LEADS)
    german = ask(desk, "pledges", *days, "--lang", "de", "--figure", "planned/won_on_time").stdout
    assert f"Geplant und pünktlich gewonnen: 1\n    {LEADS[1]}" in german
    assert "60" in ask(desk, "pledges", *days).stdout
    for arguments, sentence in (
        (("funel",), "NAME must be one of funnel"),
        (("funnel", "--from", "today"), "--from must be a date"),
        (("funnel", "--from", "2026-11-02", "--to", "2026-11-01"), "--to must not lie before from"),
        (("funnel", "--lang", "fr"), "--lang must be one of"),
        (("funnel", "--figure", "x"), "must be the key of a figure of the report funnel"),
    ):
        error = ask(desk, *arguments).exception
        assert isinstance(error, InputError)
        assert sentence in str(error)


def test_without_a_database_there_is_nothing_to_report(tmp_path: Path) -> None:
    """A folder that was never served says so."""
    error = CliRunner().invoke(report_app, ["goal", "--workspace", str(tmp_path / "nothing")]).exception
    assert isinstance(error, InputError)
    assert "no database yet" in str(error)
