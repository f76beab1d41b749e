"""A story of leads that end, played through the real API; what was sent is kept for an independent count."""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.builders_serving import NOW, Desk, Json, small_history

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
STORY_DAYS = 60
TEXTS: tuple[tuple[str, str | None, str | None], ...] = (
    ("data_wrong_contact", "data_wrong_contact", "data"),
    ("Dublette", "data_duplicate", "data"),
    ("they say it is too expensive for them", "offer_price", "offer"),
    ("Hat derzeit kein Budget!", "timing_no_budget_now", "timing"),
    ("went quiet", None, None),
    ("nobody knows why", None, None),
)
"""What a seller writes, and by the first agreement the code and the group of it."""

BAD_CODES = {"data_wrong_contact", "data_duplicate", "data_left_company"}
CODES = (("data_left_company", "data"), ("offer_competitor", "offer"), ("model_score_too_high", "model"))
ASSETS, CHANNELS = ("/pricing", "/docs", "/case: study", None), ("web", "email", None)
OBJECTIONS = ("price", "security", "no_proof")


@dataclass
class Sent:
    """What was sent, one tuple per fact: the only thing the count looks at."""

    leads: list[tuple[str, str | None]] = field(default_factory=list)
    touches: list[tuple[str, str, datetime, str | None, str | None, str]] = field(default_factory=list)
    ends: list[tuple[str, str, str, datetime, str | None, str | None]] = field(default_factory=list)
    wins: list[tuple[str, str, datetime, float]] = field(default_factory=list)
    notes: list[tuple[str, datetime, str | None, str | None]] = field(default_factory=list)


def play_story(desk: Desk, *, leads: int = 24, seed: int = 4) -> Sent:
    """Play the story with a third of the leads imported before; the clock stands after it."""
    chance, sent = random.Random(seed), Sent()
    imported = small_history(desk.settings, leads // 3)
    for row in imported.activities.to_pylist():
        touch = (row["activity_id"], row["occurred_at"], row["asset"], row["channel"], "lead")
        sent.touches.append((row["lead_id"], *touch))
    steps: list[tuple[datetime, int, str]] = []
    for number in range(leads):
        begins = NOW + chance.uniform(0.1, STORY_DAYS) * DAY
        steps += [(begins, number, "begin"), (begins + chance.uniform(0.2, 4) * DAY, number, "end")]
    handovers: dict[int, str] = {}
    for at, number, step in sorted(steps):
        desk.clock.now = at
        if step == "begin":
            handovers[number] = _begin(desk, chance, sent, f"L{number}")
        else:
            _end(desk, chance, sent, f"L{number}", handovers[number])
    desk.clock.now = NOW + (STORY_DAYS + 10) * DAY
    return sent


def _begin(desk: Desk, chance: random.Random, sent: Sent, lead_id: str) -> str:
    now = desk.clock.tell()
    source = chance.choice(["fair", "webinar", None])
    attributes = {
        "department": chance.choice(["it", "finance", "marketing", "legal"]),
        "job_level": chance.choice(["director", "manager", "assistant"]),
    }
    body = attributes if source is None else {**attributes, "source": source}
    put = desk.client.put(f"/v1/leads/{lead_id}", json=body, headers={"X-API-Key": desk.key})
    assert put.status_code == 200, put.text
    sent.leads.append((lead_id, source))
    items = [
        _touch(chance, lead_id, now - chance.uniform(0.1, 150) * DAY, f"{lead_id}-a{number}")
        for number in range(chance.randrange(4))
    ]
    for item in items:
        _keep(sent, item, "lead")
    demo = {"activity_id": f"{lead_id}-demo", "lead_id": lead_id, "kind": "demo_request"}
    demo["occurred_at"] = now.isoformat()
    sent.touches.append((lead_id, f"{lead_id}-demo", now, None, None, "sql"))
    answer = _ok(desk.post("/v1/activities", {"items": [*items, demo]}))
    handover_id: str = answer["leads"][0]["handover_id"]
    for number in range(chance.randrange(3)):
        _note(desk, chance, sent, lead_id, handover_id, number)
    return handover_id


def _end(desk: Desk, chance: random.Random, sent: Sent, lead_id: str, handover_id: str) -> None:
    now = desk.clock.tell()
    if chance.random() < 0.5:
        item = _touch(chance, lead_id, now - chance.uniform(0.1, 4) * HOUR, f"{lead_id}-late")
        _keep(sent, item, "sql")
        _ok(desk.post("/v1/activities", {"items": [item]}))
    kind = chance.choice(["rejected", "recycled", "lost", "lost", "won", "won", "none"])
    if kind == "won":
        deal = {"deal_id": f"D-{lead_id}", "lead_id": lead_id, "outcome": "won", "amount": 100.0}
        _ok(desk.post("/v1/deals", {"items": [{**deal, "closed_at": now.isoformat()}]}))
        sent.wins.append((f"D-{lead_id}", lead_id, now, 100.0))
    elif kind == "lost":
        words, code, group = chance.choice(TEXTS)
        deal = {"deal_id": f"D-{lead_id}", "lead_id": lead_id, "outcome": "lost", "loss_reason": words}
        _ok(desk.post("/v1/deals", {"items": [{**deal, "closed_at": now.isoformat()}]}))
        sent.ends.append((f"D-{lead_id}", lead_id, kind, now, code, group))
    elif kind != "none":
        _give_back(desk, chance, sent, lead_id, handover_id, kind)


def _give_back(
    desk: Desk, chance: random.Random, sent: Sent, lead_id: str, handover_id: str, kind: str
) -> None:
    now = desk.clock.tell()
    if chance.random() < 0.5:
        code, group = chance.choice(CODES)
        body: Json = {"code": code, "reason": "as agreed"}
    else:
        words, code, group = chance.choice(TEXTS)  # type: ignore[assignment]
        group = group or "content"
        body = {"reason_group": group, "reason": words}
    verb = {"rejected": "reject", "recycled": "recycle"}[kind]
    _ok(desk.post(f"/v1/handovers/{handover_id}/{verb}", body))
    sent.ends.append((handover_id, lead_id, kind, now, code, group))


def _note(desk: Desk, chance: random.Random, sent: Sent, lead_id: str, handover_id: str, number: int) -> None:
    now = desk.clock.tell()
    objection = chance.choice([*OBJECTIONS, None])
    content = chance.choice(["Data sheet", None]) if objection != "no_proof" else None
    tags = {"objection": objection, "content": content}
    if number == 0 and (objection or content):
        attempt = {"attempt_id": f"{lead_id}-t", "channel": "phone", "result": "reached", **tags}
        _ok(desk.post(f"/v1/handovers/{handover_id}/attempts", attempt))
    else:
        body = {"note_id": f"{lead_id}-n{number}", "text": "said so", **tags}
        _ok(desk.post(f"/v1/leads/{lead_id}/notes", body))
    sent.notes.append((lead_id, now, objection, content))


def _touch(chance: random.Random, lead_id: str, at: datetime, activity_id: str) -> Json:
    return {
        "activity_id": activity_id,
        "lead_id": lead_id,
        "occurred_at": at.isoformat(),
        "kind": "page_view",
        "asset": chance.choice(ASSETS),
        "channel": chance.choice(CHANNELS),
    }


def _keep(sent: Sent, item: Json, stage: str) -> None:
    at = datetime.fromisoformat(item["occurred_at"])
    fact = (item["lead_id"], item["activity_id"], at, item["asset"], item["channel"], stage)
    sent.touches.append(fact)


def _ok(response: Any) -> Json:
    assert response.status_code == 200, response.text
    body: Json = response.json()
    return body
