"""One quarter of the demo CRM, played through the real API: what the CRM sends, and what sellers do.

The simulator says who comes, what they do and how they end; how a seller works a handover follows from the
lead's id alone, so that the same quarter can be played again, on another database or after a kill. Every time
is a whole minute. To add acts of another kind, give them to `Quarter.plan`.
"""

import heapq
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import numpy as np
from sqlalchemy import Connection, event
from starlette.testclient import TestClient

from experiments.simulator.simulate import World, simulate
from features.words.reasons import Language
from serving.app import create_app
from serving.operations.sweep_clocks import sweep_clocks
from tests.builders_serving import Desk, Json

FIRST_LEAD = datetime(2026, 12, 1, tzinfo=UTC)
QUARTER_BEGINS, QUARTER_ENDS = datetime(2026, 12, 31, 23, tzinfo=UTC), datetime(2027, 3, 31, 22, tzinfo=UTC)
SYNC_AT = datetime(2027, 2, 15, 3, tzinfo=UTC)
"""When the CRM sends every lead again; here the killed service comes back and gets everything twice."""

KILLED_AFTER = 20
"""So many leads of the sync have been sent again when the service is killed."""

REPORTED_AT = datetime(2027, 4, 1, 6, tzinfo=UTC)
BATCH = timedelta(days=1)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
ATTRIBUTES = (
    "country", "industry", "job_level", "department", "source", "product_interest", "email_domain_class"
)  # fmt: skip
LEFT_OUT = ("page_view", "email_open")
"""What moves nothing here, and would take most of the time."""

REPORTS = (
    "funnel?from=2027-01-01&to=2027-03-31",
    "pledges?from=2027-01-01&to=2027-03-31",
    "pledges?from=2027-03-01&to=2027-03-31",
    "response?from=2027-01-01&to=2027-03-31",
    "workload",
    "goal",
    "losses?from=2027-01-01&to=2027-03-31",
    "wins?from=2027-01-01&to=2027-03-31",
    "content?from=2027-01-01&to=2027-03-31",
)
REPORTS_MIDWAY = ("pledges?from=2027-02-01&to=2027-02-28",)
"""The reports of the quarter, and those that are read while it runs. Further ones are added here."""


@dataclass(frozen=True, order=True)
class Message:
    """One request at its time; `number` keeps the order of requests of one minute."""

    at: datetime
    number: int
    method: str = field(compare=False)
    path: str = field(compare=False)
    body: Json = field(compare=False)


def demo_world(leads: int = 60) -> World:
    """Return the simulated CRM from which the quarter is played."""
    return simulate(leads=leads, months=4, until=QUARTER_ENDS, seed=11)


def crm_messages(world: World) -> list[Message]:
    """Return what the CRM sends until the end of the quarter, in order."""
    numbers = count()
    parts = (_leads(world), _late_leads(), _activities(world), _deals(world))
    found = [
        Message(at, next(numbers), method, path, body) for part in parts for at, method, path, body in part
    ]
    return sorted(one for one in found if one.at < QUARTER_ENDS)


Sent = Iterator[tuple[datetime, str, str, Json]]


def _leads(world: World) -> Sent:
    """Yield every lead when it is created, and all that are there once more at the sync."""
    for row, lead_id in enumerate(world.people.lead_id.tolist()):
        created_at = _minute(world.people.created_us[row])
        values = {name: getattr(world.people, name)[row] for name in ATTRIBUTES}
        body = {name: str(value) for name, value in values.items() if value != ""}
        body |= {"created_at": created_at.isoformat(), "changed_at": created_at.isoformat()}
        yield created_at, "PUT", f"/v1/leads/{lead_id}", body
        if created_at < SYNC_AT:
            yield SYNC_AT, "PUT", f"/v1/leads/{lead_id}", body


def _late_leads() -> Sent:
    """Yield economic buyers of the last days, so that sellers have open work when the quarter ends."""
    for number in range(8):
        at = QUARTER_ENDS - timedelta(hours=5 + 9 * number)
        body = {"job_level": "director", "department": "finance", "source": "event"}
        body |= {"created_at": at.isoformat(), "changed_at": at.isoformat()}
        yield at, "PUT", f"/v1/leads/late-{number}", body


def _activities(world: World) -> Sent:
    """Yield activities a day at a time, as a CRM would export them."""
    log = world.log.keep(~np.isin(world.log.kind, LEFT_OUT))
    batches: dict[datetime, list[Json]] = {}
    for row in range(len(log.lead)):
        at = max(_minute(log.occurred_us[row]), _minute(world.people.created_us[log.lead[row]]))
        item: Json = {
            "activity_id": f"A{row}",
            "lead_id": str(world.people.lead_id[log.lead[row]]),
            "occurred_at": at.isoformat(),
            "kind": str(log.kind[row]),
        }
        if log.asset[row]:
            item["asset"] = str(log.asset[row])
        batches.setdefault(_batch_end(at), []).append(item)
    for at, items in sorted(batches.items()):
        yield at, "POST", "/v1/activities", {"items": items}


def _deals(world: World) -> Sent:
    """Yield each deal when it is opened and when it ends; those dropped early only end."""
    outcomes, people = world.outcomes, world.people
    is_negotiated = outcomes.won | np.isin(outcomes.loss_group, ["timing", "offer", "content"])
    for row, lead_id in enumerate(people.lead_id.tolist()):
        deal: Json = {"deal_id": f"D{row}", "lead_id": lead_id}
        if is_negotiated[row]:
            opened_at = _minute(outcomes.opened_us[row])
            deal |= {"opened_at": opened_at.isoformat(), "amount": round(float(outcomes.amount[row]), 2)}
            deal |= {"planned_close_at": (opened_at + 30 * DAY).isoformat()}
            yield _batch_end(opened_at), "POST", "/v1/deals", {"items": [deal]}
        if outcomes.decided[row]:
            closed_at = _minute(outcomes.closed_us[row])
            ends = {"closed_at": closed_at.isoformat(), "outcome": "won" if outcomes.won[row] else "lost"}
            if outcomes.loss_reason[row]:
                ends["loss_reason"] = str(outcomes.loss_reason[row])
            yield _batch_end(closed_at), "POST", "/v1/deals", {"items": [deal | ends]}


def _minute(us: Any) -> datetime:
    """Return the whole minute after an instant in microseconds."""
    return datetime.fromtimestamp(-(-int(us) // 60_000_000) * 60, UTC)


def _batch_end(at: datetime) -> datetime:
    """Return when the batch is sent that something of this instant belongs to."""
    return FIRST_LEAD + ((at - FIRST_LEAD) // BATCH + 1) * BATCH


def _never_commit(_connection: Connection) -> None:
    raise KilledError("killed while writing")


class KilledError(RuntimeError):
    """What a kill looks like from inside a transaction."""


class Quarter:
    """The play: sends what the CRM sends, works each new handover, sweeps the clocks every morning."""

    def __init__(self, desk: Desk, world: World, *, killed: bool = False) -> None:
        self.desk = desk
        self.sent: list[Message] = []
        self.handover_ids: set[str] = set()
        self.reports_midway: dict[str, Json] = {}
        self._killed = killed
        self._queue = crm_messages(world)
        self._numbers = count(len(self._queue))
        for day in range((QUARTER_ENDS - FIRST_LEAD) // DAY):
            self._add(FIRST_LEAD + day * DAY + 5 * HOUR, "SWEEP", "", {})
        self._add(SYNC_AT + 4 * HOUR, "LOOK", "", {})
        heapq.heapify(self._queue)
        desk.client.__enter__()  # one event loop for all requests; otherwise each would start its own

    def play(self) -> "Quarter":
        """Send everything until the quarter is over."""
        while self._queue and self._queue[0].at < QUARTER_ENDS:
            message = heapq.heappop(self._queue)
            self._move_clock(message.at)
            if self._killed and sum(one.at == SYNC_AT for one in self.sent) == KILLED_AFTER:
                self._killed = False
                self._kill_while_writing(message)
            self._take(message)
        self._move_clock(REPORTED_AT)
        sweep_clocks(self.desk.app.state.service.database(), now=REPORTED_AT)
        return self

    def start_again(self) -> None:
        """End the service and start another one on what it stored."""
        old = self.desk
        self.close()
        app = create_app(old.settings, old.clock.tell, old.clock.monotonic)
        client = TestClient(app, raise_server_exceptions=False)
        self.desk = Desk(settings=old.settings, app=app, client=client, key=old.key, clock=old.clock)
        client.__enter__()

    def send_all_again(self, *, leads: bool) -> None:
        """Send everything once more; leads only at an instant at which the CRM sends them anyway."""
        for message in list(self.sent):
            if leads or message.method != "PUT":
                self._send(message)

    def close(self) -> None:
        """End the service."""
        self.desk.client.__exit__(None, None, None)

    def report(self, query: str, lang: Language = "en") -> Json:
        """Return one report, with all leads behind its figures."""
        joiner = "&" if "?" in query else "?"
        answer: Json = self.get(f"/v1/reports/{query}{joiner}limit=1000&lang={lang}")
        return answer

    def get(self, path: str) -> Any:
        """Read something."""
        answer = self.desk.client.get(path, headers={"X-API-Key": self.desk.key})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def handovers(self) -> list[Json]:
        """Return every handover to sales, page by page."""
        found, after = [], ""
        while True:
            start = f"&after={after}" if after else ""
            page = self.get(f"/v1/handovers?direction=to_sales&limit=200{start}")
            found += page["items"]
            after = page["next_after"]
            if not after:
                return found

    def _take(self, message: Message) -> None:
        if message.method == "SWEEP":
            sweep_clocks(self.desk.app.state.service.database(), now=message.at)
        elif message.method == "LOOK":
            self.reports_midway = {name: self.report(name) for name in REPORTS_MIDWAY}
        else:
            self.sent.append(message)
            self._send(message)

    def _send(self, message: Message) -> None:
        """Send one message; an act on a handover that is over may come too late."""
        is_act = "/handovers/" in message.path
        answer = self.desk.client.request(
            message.method, message.path, json=message.body, headers={"X-API-Key": self.desk.key}
        )
        assert answer.status_code in ((200, 409) if is_act else (200,)), (message, answer.text)
        if not is_act:
            body = answer.json()
            for standing in body.get("leads", [body]):
                self._work(standing, self.desk.clock.now)

    def _work(self, standing: Json, at: datetime) -> None:
        handover = standing.get("handover_id")
        if handover and handover not in self.handover_ids:
            self.handover_ids.add(handover)
            for when, name, body in self.plan(standing["lead_id"], at):
                stamped = {**body, "occurred_at": when.isoformat(), "by": "Jonas Weber"}
                if name == "attempts":
                    stamped["attempt_id"] = f"{handover[:12]}@{when.isoformat()}"
                self._add(when, "POST", f"/v1/handovers/{handover}/{name}", stamped)

    def plan(self, lead_id: str, at: datetime) -> Sequence[tuple[datetime, str, Json]]:
        """Return what sellers do with a handover: reject it, forget it, or try and give up or go on."""
        chance = random.Random(f"{lead_id}{at}")
        mood, first = chance.random(), at + chance.randrange(20, 40 * 60) * MINUTE
        if mood < 0.12:
            return [(first, "reject", {"reason_group": "targeting", "reason": "no need"})]
        if mood < 0.24:
            return []
        acts: list[tuple[datetime, str, Json]] = []
        for number in range(chance.randrange(1, 5)):
            reached = chance.random() < 0.3
            result = "reached" if reached else "no_answer"
            when = first + number * (25 * HOUR)
            acts.append((when, "attempts", {"channel": "phone", "result": result}))
            if reached:
                return acts
        if mood < 0.7:
            last = acts[-1][0] + 2 * HOUR
            acts.append((last, "recycle", {"reason_group": "timing", "reason": "not reached"}))
        return acts

    def _kill_while_writing(self, message: Message) -> None:
        """End the service in the middle of a transaction, start another, and send everything again."""
        old = self.desk
        event.listen(old.app.state.service.database(), "commit", _never_commit)
        lost = old.client.request(
            message.method, message.path, json=message.body, headers={"X-API-Key": old.key}
        )
        assert lost.status_code == 500
        self.start_again()
        self.send_all_again(leads=True)

    def _add(self, at: datetime, method: str, path: str, body: Json) -> None:
        heapq.heappush(self._queue, Message(at, next(self._numbers), method, path, body))

    def _move_clock(self, at: datetime) -> None:
        """Let the time of day go on; the seconds of the process do not, so its caches stay warm."""
        self.desk.clock.now = at
