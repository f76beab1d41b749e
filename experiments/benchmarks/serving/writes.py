"""`python -m experiments.benchmarks.serving.writes [--per-second N] [--seconds N] [--out FILE]`.

Writes arrive at a fixed rate, whether or not the ones before were answered: activities, leads and deals as a
CRM sends them, one a request. A write is answered when its lead is scored and its stage and handover are on
disk, so the delay between answer and score is none by construction; what is measured is how long the answer
takes from the instant the write was due, and that the scores are there.
"""

import argparse
import asyncio
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from experiments.benchmarks.measure import machine_facts
from experiments.benchmarks.serving.servers import Server, running
from experiments.benchmarks.serving.workspace import (
    CHANNELS,
    KINDS,
    Place,
    attribute_kinds,
    prepare,
    request_body,
    value_of,
)

N_LEADS = 500
CONNECTIONS = 64
CHECKED_SHARE = 0.05
CLOCK_STEP = timedelta(milliseconds=50)
"""The service reads its clock somewhat after it was asked."""

KIND_OF_WRITE = ("activities",) * 8 + ("lead", "deal")


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One request: what it is, and which lead it is about."""

    method: str
    path: str
    body: bytes
    lead_id: str


Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(slots=True)
class Connections:
    """Keep-alive connections to one server, handed out one at a time."""

    host: str
    port: int
    key: str
    free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(
        default_factory=asyncio.Queue
    )

    async def open(self, count: int) -> None:
        """Connect so many times."""
        for _ in range(count):
            self.free.put_nowait(await asyncio.open_connection(self.host, self.port))

    async def ask(self, method: str, path: str, body: bytes = b"") -> Any:
        """Send one request and return the answer; ValueError when it is not 200."""
        pair = await self.free.get()
        try:
            return await self._exchange(*pair, method, path, body)
        finally:
            self.free.put_nowait(pair)

    async def _exchange(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, method: str, path: str, body: bytes
    ) -> Any:
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: {self.host}\r\nX-API-Key: {self.key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        status, *headers = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        length = next(int(one[15:]) for one in headers if one.lower().startswith("content-length:"))
        answer = await reader.readexactly(length)
        if " 200 " not in status:
            raise ValueError(f"{method} {path} was answered with {status}: {answer[:300]!r}")
        return json.loads(answer)

    def close(self) -> None:
        """Close all of them."""
        while not self.free.empty():
            self.free.get_nowait()[1].close()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceClock:
    """The time of day as the service tells it, carried on by the seconds that pass here."""

    told: datetime
    at_s: float

    def now(self) -> datetime:
        """Return the time of day."""
        return self.told + timedelta(seconds=time.perf_counter() - self.at_s)


def made_up_writes(count: int, seed: int, now: datetime) -> Iterator[Write]:
    """Yield writes: eight in ten are activities, one a lead's attributes, one a deal; all from before now."""
    chance = random.Random(seed)
    for number in range(count):
        lead_id = f"L{chance.randrange(N_LEADS)}"
        match KIND_OF_WRITE[number % len(KIND_OF_WRITE)]:
            case "activities":
                yield _activity(chance, lead_id, f"{seed}-{number}", now)
            case "lead":
                yield put_lead(chance, lead_id)
            case _:
                yield _deal(lead_id, f"{seed}-{number}", now)


def put_lead(chance: random.Random, lead_id: str) -> Write:
    """Return a lead with its 25 attributes."""
    body = {name: value_of(chance, kind) for name, kind in attribute_kinds().items()}
    sent = json.dumps({"created_at": "2026-01-02T00:00:00Z", **body}).encode()
    return Write(method="PUT", path=f"/v1/leads/{lead_id}", body=sent, lead_id=lead_id)


def _activity(chance: random.Random, lead_id: str, name: str, now: datetime) -> Write:
    item = {
        "activity_id": name,
        "lead_id": lead_id,
        "occurred_at": (now - timedelta(seconds=chance.uniform(1, 3600))).isoformat(),
        "kind": chance.choice(KINDS),
        "channel": chance.choice(CHANNELS),
    }
    return Write(
        method="POST", path="/v1/activities", body=json.dumps({"items": [item]}).encode(), lead_id=lead_id
    )


def _deal(lead_id: str, name: str, now: datetime) -> Write:
    opened = (now - timedelta(seconds=1)).isoformat()
    item = {"deal_id": name, "lead_id": lead_id, "opened_at": opened}
    return Write(
        method="POST", path="/v1/deals", body=json.dumps({"items": [item]}).encode(), lead_id=lead_id
    )


async def send_all(server: Server, key: str, *, per_second: int, seconds: int) -> dict[str, Any]:
    """Fill the service with leads, then send writes at a fixed rate; return what was found."""
    host, port = server.url.removeprefix("http://").partition("/")[0].split(":")
    connections = Connections(host, int(port), key)
    await connections.open(CONNECTIONS)
    clock, chance = await _clock_of(connections), random.Random(1)
    filling = (put_lead(chance, f"L{number}") for number in range(N_LEADS))
    await asyncio.gather(*(connections.ask(one.method, one.path, one.body) for one in filling))
    waits: list[float] = []
    late: list[str] = []

    async def send(write: Write, due: float, *, is_checked: bool) -> None:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        begun_at = clock.now() - CLOCK_STEP
        await connections.ask(write.method, write.path, write.body)
        waits.append(time.perf_counter() - due)
        if is_checked:
            lead = await connections.ask("GET", f"/v1/leads/{write.lead_id}")
            if datetime.fromisoformat(lead["scored_at"]) < begun_at:
                late.append(write.lead_id)

    writes = list(made_up_writes(per_second * seconds, seed=2, now=clock.now()))
    cpu_before, start = server.cpu_s(), time.perf_counter() + 0.5
    checked = [chance.random() < CHECKED_SHARE for _ in writes]
    await asyncio.gather(
        *(
            send(write, start + place / per_second, is_checked=checked[place])
            for place, write in enumerate(writes)
        )
    )
    took = time.perf_counter() - start
    connections.close()
    waits.sort()
    return {
        "asked_per_second": per_second,
        "answered_per_second": round(len(waits) / took, 1),
        "p50_ms": round(statistics.median(waits) * 1e3, 1),
        "p99_ms": round(waits[int(len(waits) * 0.99)] * 1e3, 1),
        "worst_ms": round(waits[-1] * 1e3, 1),
        "cpu_ms_per_write": round((server.cpu_s() - cpu_before) / len(waits) * 1e3, 2),
        "checked": sum(checked),
        "not_scored_at_the_answer": len(late),
    }


async def _clock_of(connections: Connections) -> ServiceClock:
    """Ask for a score as of now, whose answer says when that is."""
    body = request_body(1)
    asked_at = time.perf_counter()
    answer = await connections.ask("POST", "/v1/score", json.dumps({"lead": body["lead"]}).encode())
    return ServiceClock(told=datetime.fromisoformat(answer["as_of"]), at_s=asked_at)


def measure(place: Place, *, per_second: int, seconds: int) -> dict[str, Any]:
    """Return the figures of one run against the service on SQLite."""
    with running(place, ("leadpact",)) as (server,):
        figures = asyncio.run(send_all(server, place.key, per_second=per_second, seconds=seconds))
    return {"machine": machine_facts(("fastapi", "uvicorn", "sqlalchemy")), "leads": N_LEADS, **figures}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and write the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--per-second", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(prepare(Path(folder)), per_second=asked.per_second, seconds=asked.seconds)
    text = json.dumps(figures, indent=2)
    sys.stdout.write(text + "\n")
    if asked.out is not None:
        asked.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
