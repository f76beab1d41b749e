"""Closing feedback through the API, on both databases: codes, answers in business time, disputes, notes."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from sqlalchemy import Engine

from serving.db.migrate import prepare_database
from serving.operations.verify_audit import verify_audit
from serving.settings import Settings
from serving.worker import Worker
from tests.builders_serving import NOW, Desk, Json, install_policy, open_desk, policy_version, small_history

DAY = 24 * 3600
GERMAN = {"Accept-Language": "de"}
NUMBERS = count()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def desk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Return a service on either database; each test has leads of its own, and time only goes on."""
    root = tmp_path_factory.mktemp("feedback") / "workspace"
    is_sqlite = request.param == "sqlite"
    url = None if is_sqlite else request.getfixturevalue("cluster").new_database()
    opened = open_desk(Settings(workspace_root=root, database_url=url, mlflow_tracking_uri=None))
    yield opened
    assert verify_audit(opened.app.state.service.database()).is_whole
    opened.client.close()
    opened.app.state.service.close()


def get(desk: Desk, path: str, **headers: str) -> Any:
    """Read something."""
    return desk.client.get(path, headers={"X-API-Key": desk.key, **headers})


def handed_over(desk: Desk) -> tuple[str, str]:
    """Let a new lead ask for a demo; return it with its handover."""
    lead_id = f"F{next(NUMBERS)}"
    now = desk.clock.tell()
    put = desk.client.put(f"/v1/leads/{lead_id}", json={}, headers={"X-API-Key": desk.key})
    assert put.status_code == 200
    asked = {"activity_id": f"demo-{lead_id}", "lead_id": lead_id, "kind": "demo_request"}
    sent = desk.post("/v1/activities", {"items": [{**asked, "occurred_at": now.isoformat()}]})
    return lead_id, sent.json()["leads"][0]["handover_id"]


def reject(desk: Desk, handover_id: str, **body: object) -> Any:
    """Reject a handover."""
    return desk.post(f"/v1/handovers/{handover_id}/reject", {"reason": "said so", **body})


def lose(desk: Desk, lead_id: str, **deal: object) -> Any:
    """Send a lost deal of a lead."""
    now = desk.clock.tell().isoformat()
    item = {"deal_id": f"D-{lead_id}", "lead_id": lead_id, "outcome": "lost", "closed_at": now, **deal}
    return desk.post("/v1/deals", {"items": [item]})


def group_of(desk: Desk, group: str) -> Json:
    """Return what the report says about a group."""
    groups = get(desk, "/v1/reports/losses?from=2026-01-01&to=2027-12-31").json()["groups"]
    found: Json = next(one for one in groups if one["group"] == group)
    return found


def answer(desk: Desk, group: str, words: str = "the form checks numbers now") -> Any:
    """Answer for a group."""
    return desk.post(f"/v1/feedback/{group}/answers", {"answer": words, "by": "Maria Sommer"})


def problems(response: Any, code: str) -> dict[str, tuple[str, str | None]]:
    """Return the problems of a refused request by field."""
    body = response.json()
    assert body["code"] == code, response.text
    return {one["field"]: (one["rule"], one["value"]) for one in body["errors"]}


def next_monday(desk: Desk) -> None:
    """Go on to a Monday, ten o'clock in Berlin, with no holiday in its week."""
    later = desk.clock.now + timedelta(days=7)
    monday = later - timedelta(days=later.weekday())
    desk.clock.now = max(monday.replace(hour=9, minute=0), datetime(2027, 1, 11, 9, tzinfo=UTC))


def test_a_code_says_it_all(desk: Desk) -> None:
    """It brings its group, stands with the handover both ways, and what marketing gets back has it, too."""
    lead_id, handover = handed_over(desk)
    done = desk.post(f"/v1/handovers/{handover}/reject", {"code": "offer_price"}).json()
    assert (done["status"], done["reason_group"], done["reason_code"]) == ("returned", "offer", "offer_price")
    back = get(desk, f"/v1/handovers?lead_id={lead_id}&direction=to_marketing").json()["items"]
    assert [(one["reason_group"], one["reason_code"]) for one in back] == [("offer", "offer_price")]
    assert reject(desk, handover, code="offer_price").json() == done


def test_words_are_mapped_within_their_group(desk: Desk) -> None:
    """A text of another group means nothing here; the group that was sent stays."""
    codes = []
    for group, words in (("offer", "far too expensive"), ("data", "far too expensive"), ("timing", "why")):
        handover = handed_over(desk)[1]
        done = reject(desk, handover, reason_group=group, reason=words).json()
        codes.append((done["reason_group"], done["reason_code"]))
    assert codes == [("offer", "offer_price"), ("data", ""), ("timing", "")]


def test_never_reached_has_its_code(desk: Desk) -> None:
    """The last agreed attempt gives the lead back with the code the agreement has for it."""
    handover = handed_over(desk)[1]
    for _ in range(8):
        desk.clock.advance(DAY)
        done = desk.post(
            f"/v1/handovers/{handover}/attempts", {"channel": "phone", "result": "no_answer"}
        ).json()
    assert (done["status"], done["reason_group"], done["reason_code"]) == ("returned", "data", "no_contact")


def test_wrong_reasons_change_nothing(desk: Desk) -> None:
    """Every mistake at once, with field, rule and value, in the reader's language."""
    lead_id, handover = handed_over(desk)
    before = desk.clock.tell() - timedelta(days=3)
    body = {"code": "offer_prise", "reason": "x", "occurred_at": before.isoformat()}
    refused = desk.post(f"/v1/handovers/{handover}/reject", body, **GERMAN)
    found = problems(refused, "act_refused")
    assert found["code"][0].startswith("muss in der geltenden Vereinbarung stehen (Code): targeting_no_need")
    assert (found["code"][1], refused.json()["detail"]) == ("offer_prise", "so kann es nicht gewesen sein")
    assert found["occurred_at"][0].startswith("darf nicht vor der Übergabe liegen")
    other = reject(desk, handover, code="offer_price", reason_group="data")
    assert problems(other, "act_refused") == {
        "reason_group": ("must be the group of the code, offer", "data")
    }
    rule = "or code must be given"
    nothing = desk.post(f"/v1/handovers/{handover}/reject", {})
    assert problems(nothing, "act_refused") == {"reason_group": (rule, None), "reason": (rule, None)}
    lost = lose(desk, lead_id, loss_code="too_dear")
    assert problems(lost, "not_agreed")["items[0].loss_code"][1] == "too_dear"
    assert get(desk, f"/v1/leads/{lead_id}").json()["handover"]["status"] == "open"


def test_a_lost_deal_that_comes_back_is_no_loss(desk: Desk) -> None:
    """The newest state of a deal counts: another amount changes no question, a win ends the loss."""
    lead_id, _handover = handed_over(desk)
    before = group_of(desk, "content")["counted"]["count"]
    lose(desk, lead_id, loss_reason="Nutzen unklar")
    asked = group_of(desk, "content")
    assert (asked["counted"]["count"], asked["question"]["question_id"]) == (before + 1, f"deal-D-{lead_id}")
    desk.clock.advance(DAY)
    later = desk.clock.tell().isoformat()
    lose(desk, lead_id, loss_reason="Nutzen unklar", amount=7, changed_at=later)
    assert group_of(desk, "content")["question"]["opened_at"] == asked["question"]["opened_at"]
    desk.clock.advance(60)
    now = desk.clock.tell().isoformat()
    lose(desk, lead_id, outcome="won", changed_at=now, closed_at=now)
    assert group_of(desk, "content")["counted"]["count"] == before
    assert group_of(desk, "content")["question"] is None


def sweep(desk: Desk, database: Engine) -> int:
    """Let four workers look at the same time, and return what they raised."""
    with ThreadPoolExecutor(4) as pool:
        done = pool.map(lambda _: Worker(lambda: database, desk.clock.tell).turn().raised, range(4))
    return sum(done)


def test_a_group_answers_in_business_time(desk: Desk) -> None:
    """The first end opens the question, a missed answer is raised once, an answer covers what was known."""
    next_monday(desk)
    database: Engine = desk.app.state.service.database()
    for _ in range(2):
        reject(desk, handed_over(desk)[1], code="model_score_too_high")
        desk.clock.advance(600)
    asked = group_of(desk, "model")
    assert (asked["side"], asked["owner"]) == ("marketing", "Marketing operations")
    question = asked["question"]
    assert (question["status"], question["ends"], question["raised_at"]) == ("open", 2, None)
    assert question["due_at"] == "2027-01-18T10:30:00Z"  # five days of eight hours; Friday has six and a half
    sweep(desk, database)
    desk.clock.now = datetime(2027, 1, 18, 10, 31, tzinfo=UTC)
    assert group_of(desk, "model")["question"]["status"] == "overdue"
    assert sweep(desk, database) >= 1
    assert sweep(desk, database) == 0
    assert group_of(desk, "model")["question"]["raised_at"] == "2027-01-18T10:31:00Z"
    given = answer(desk, "model").json()
    assert (given["in_time"], given["by"], given["due_at"]) == (False, "Maria Sommer", question["due_at"])
    assert answer(desk, "model").json() == given
    assert problems(answer(desk, "model", "something else"), "nothing_to_answer") == {}
    after = group_of(desk, "model")
    assert (after["question"], after["answer"]) == (None, given)
    desk.clock.advance(60)
    lead_id, handover = handed_over(desk)
    reject(desk, handover, code="model_score_too_high")
    assert group_of(desk, "model")["question"]["ends"] == 1
    assert answer(desk, "model", "and again").json()["in_time"] is True
    assert lead_id in group_of(desk, "model")["counted"]["lead_ids"]


def test_an_answer_to_a_group_that_is_none(desk: Desk) -> None:
    """It names the groups of the agreement, and nothing is recorded."""
    refused = desk.post("/v1/feedback/prices/answers", {"answer": "lower them"}, **GERMAN)
    rule = (
        "muss in der geltenden Vereinbarung stehen (Gruppe): targeting, timing, data, offer, content, model"
    )
    assert problems(refused, "not_agreed") == {"group": (rule, "prices")}
    blank = desk.post("/v1/feedback/data/answers", {"answer": " "}, **GERMAN)
    assert problems(blank, "wrong_fields")["answer"][0] == "darf nicht leer sein"


def dispute(desk: Desk, lead_id: str, **body: object) -> Any:
    """Dispute the score of a lead."""
    return desk.post(f"/v1/leads/{lead_id}/disputes", {"reason": "a student", **body}, **GERMAN)


def test_a_disputed_score_gets_an_answer(desk: Desk) -> None:
    """It has its own deadline, is raised once when missed, and is answered once."""
    next_monday(desk)
    database: Engine = desk.app.state.service.database()
    lead_id = handed_over(desk)[0]
    made = dispute(desk, lead_id, by="Jonas Weber").json()
    due = (desk.clock.tell() + timedelta(days=2)).isoformat().replace("+00:00", "Z")
    assert (made["status"], made["side"], made["due_at"]) == ("open", "marketing", due)
    assert (made["text"], made["points"]) == (
        "ist zu beantworten",
        get(desk, f"/v1/leads/{lead_id}").json()["points"],
    )
    assert dispute(desk, lead_id).json() == made
    sweep(desk, database)
    desk.clock.advance(2 * DAY + 1)
    overdue = get(desk, f"/v1/disputes?status=overdue&lead_id={lead_id}").json()["items"]
    assert [(one["dispute_id"], one["status"]) for one in overdue] == [(made["dispute_id"], "overdue")]
    assert (sweep(desk, database) >= 1, sweep(desk, database)) == (True, 0)
    path, body = f"/v1/disputes/{made['dispute_id']}/answer", {"verdict": "score_wrong", "answer": "he is"}
    given = desk.post(path, body, **GERMAN).json()
    assert (given["status"], given["verdict_text"]) == ("late", "der Score war falsch")
    assert desk.post(path, body, **GERMAN).json() == given
    assert problems(desk.post(path, {**body, "answer": "no"}), "nothing_to_answer") == {}
    assert get(desk, f"/v1/disputes?status=open&lead_id={lead_id}").json()["items"] == []
    answered = get(desk, "/v1/disputes?status=answered&limit=1").json()
    assert [one["dispute_id"] for one in answered["items"]] == [made["dispute_id"]]


def test_disputes_come_a_page_at_a_time(desk: Desk) -> None:
    """Every dispute is listed once, the oldest first."""
    for _ in range(3):
        dispute(desk, handed_over(desk)[0])
    listed: list[str] = []
    after = ""
    while True:
        page = get(desk, f"/v1/disputes?limit=2{after}").json()
        listed += [one["dispute_id"] for one in page["items"]]
        if not page["next_after"]:
            break
        after = f"&after={page['next_after']}"
    whole = get(desk, "/v1/disputes").json()["items"]
    assert listed == [one["dispute_id"] for one in whole]
    assert whole == sorted(whole, key=lambda one: (one["recorded_at"], one["dispute_id"]))


def test_disputes_that_cannot_be(desk: Desk) -> None:
    """An unknown lead, a score of nobody, a time that has not come, an answer to nothing."""
    lead_id = handed_over(desk)[0]
    assert dispute(desk, "nobody").json()["code"] == "unknown_lead"
    future = (desk.clock.tell() + timedelta(hours=1)).isoformat()
    refused = problems(dispute(desk, lead_id, occurred_at=future, reason=" "), "wrong_fields")
    assert refused["reason"] == ("darf nicht leer sein", " ")
    assert refused["occurred_at"][0].startswith("darf nicht in der Zukunft liegen; jetzt ist 20")
    assert problems(dispute(desk, lead_id, score_id="f" * 32), "act_refused") == {
        "score_id": ("muss ein Score dieses Leads sein", "f" * 32)
    }
    early = problems(dispute(desk, lead_id, occurred_at=NOW.isoformat()), "act_refused")
    assert list(early) == ["occurred_at"]
    small_history(desk.settings, 1)
    unscored = problems(dispute(desk, "L0"), "act_refused")
    assert unscored == {"lead_id": ("muss bewertet worden sein", "L0")}
    nothing = desk.post("/v1/disputes/none/answer", {"verdict": "score_stands", "answer": "yes"})
    assert nothing.json()["code"] == "unknown_dispute"
    made = dispute(desk, lead_id, dispute_id=f"D-{lead_id}")
    assert made.status_code == 200
    taken = problems(dispute(desk, handed_over(desk)[0], dispute_id=f"D-{lead_id}"), "act_refused")
    assert list(taken) == ["dispute_id"]


def note(desk: Desk, lead_id: str, **body: object) -> Any:
    """Note something about a lead."""
    return desk.post(f"/v1/leads/{lead_id}/notes", body, **GERMAN)


def test_notes_are_tagged(desk: Desk) -> None:
    """With persona and stage of the lead unless said otherwise; the same note again is one."""
    lead_id, handover = handed_over(desk)
    made = note(desk, lead_id, text="asks where data is kept", objection="security").json()
    assert (made["stage"], made["persona"], made["objection"], made["attempt_id"]) == (
        "sql",
        "",
        "security",
        "",
    )
    assert note(desk, lead_id, text="asks where data is kept", objection="security").json() == made
    other = note(desk, lead_id, content="Data sheet", persona="technical_buyer").json()
    assert (other["persona"], other["content"]) == ("technical_buyer", "Data sheet")
    tried = {"channel": "phone", "result": "reached", "objection": "effort", "note": "no people for it"}
    assert desk.post(f"/v1/handovers/{handover}/attempts", tried).status_code == 200
    rows = get(desk, "/v1/reports/content?from=2026-01-01&to=2027-12-31").json()["objections"]
    heard = {row["objection"]: row for row in rows if lead_id in row["counted"]["lead_ids"]}
    assert set(heard) == {"security", "effort"}
    assert heard["effort"]["is_backlog"] is True


def test_notes_that_cannot_be(desk: Desk) -> None:
    """Tags nobody agreed, nothing said, an unknown lead, a time that has not come."""
    lead_id, handover = handed_over(desk)
    found = problems(note(desk, lead_id, objection="prise", persona="nobody"), "not_agreed")
    assert found["objection"][0] == (
        "muss in der geltenden Vereinbarung stehen (Einwand): effort, has_solution, no_proof, price, security"
    )
    assert found["persona"][1] == "nobody"
    assert problems(note(desk, lead_id), "wrong_fields")["text"][0] == (
        "oder objection oder content muss angegeben sein"
    )
    assert note(desk, "nobody", text="x").json()["code"] == "unknown_lead"
    future = (desk.clock.tell() + timedelta(hours=1)).isoformat()
    assert list(problems(note(desk, lead_id, text="x", occurred_at=future), "wrong_fields")) == [
        "occurred_at"
    ]
    tried = {"channel": "phone", "result": "reached", "objection": "prise"}
    attempt = desk.post(f"/v1/handovers/{handover}/attempts", tried)
    assert list(problems(attempt, "act_refused")) == ["objection"]
    assert get(desk, f"/v1/leads/{lead_id}").json()["handover"]["attempts"] == []


def test_reports_that_cannot_be_read(desk: Desk) -> None:
    """Dates, numbers and keys that are none, each with its rule, in German, too."""
    wrong = get(desk, "/v1/reports/losses?from=2026-02-30&to=x&limit=0", **GERMAN)
    found = problems(wrong, "wrong_fields")
    assert set(found) == {"?from", "?to", "?limit"}
    assert not [rule for rule, _value in found.values() if re.search(r"\b(must|is|not)\b", rule)]
    key = problems(get(desk, "/v1/reports/wins?key=all%20of%20it", **GERMAN), "wrong_fields")
    assert key == {"?key": ("muss der key einer Zahl dieses Berichts sein", "all of it")}
    assert get(desk, "/v1/reports/content").status_code == 200


def test_an_agreement_without_reasons(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Groups and words are counted as before; no code is known, nobody owes an answer, nothing fails."""
    root = tmp_path_factory.mktemp("plain") / "workspace"
    desk = open_desk(Settings(workspace_root=root, database_url=None, mlflow_tracking_uri=None))
    text = policy_version(2)
    start, end = text.index("# Why leads are given back"), text.index("# What marketing offers")
    install_policy(desk.settings, text[:start] + text[end:])
    lead_id, handover = handed_over(desk)
    refused = problems(reject(desk, handover, code="offer_price"), "act_refused")
    assert refused["code"] == ("must be a code of the agreement in force, which lists none", "offer_price")
    done = reject(desk, handover, reason_group="offer", reason="price").json()
    assert (done["reason_group"], done["reason_code"]) == ("offer", "")
    asked = group_of(desk, "offer")
    assert (asked["owner"], asked["counted"]["count"], asked["question"]["status"]) == ("", 1, "untimed")
    made = desk.post(f"/v1/leads/{lead_id}/disputes", {"reason": "a student"}).json()
    assert (made["side"], made["due_at"], made["status"]) == ("", None, "untimed")
    assert list(problems(note(desk, lead_id, objection="price"), "not_agreed")) == ["objection"]
    desk.clock.advance(400 * DAY)
    assert sweep(desk, prepare_database(desk.settings.database)) == 0
    desk.client.close()
    desk.app.state.service.close()
