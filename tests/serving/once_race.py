"""Keys sent again and again, in parallel, from several processes over one database, and what each led to.

By hand: `python -m tests.serving.once_race 10000` runs it on a new SQLite file and prints what was found.
"""

import hashlib
import json
import random
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from sqlalchemy import Engine, select

from serving.db.audited import audited_transaction
from serving.db.migrate import prepare_database
from serving.db.session import open_database, read_transaction
from serving.db.tables import AuditRow
from serving.errors import OtherRequestError, StillRunningError
from serving.operations.answer_once import NamedRequest, answer_once

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PERSON = "Maria Sommer"
MOST_SENDS, THREADS = 5, 8
OTHER_SHARE = 0.05
"""So many of the repeated sends say something else under the same key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """What came of it: effects and different answers per key, and how often a send ended in which way."""

    keys: int
    sends: int
    effects: tuple[int, ...]
    answers: tuple[int, ...]
    ends: tuple[tuple[str, int], ...]


def run_race(database_url: str, keys: int, *, processes: int = 2, seed: int = 0) -> Race:
    """Send `keys` acts one to five times each, shuffled, from all processes at once, until each was made.

    Sends that were told to wait are sent again by nobody: another send of the key has acted or will.
    """
    database = prepare_database(database_url)
    sends = _sends(keys, seed)
    started = [_start(database_url, sends[turn::processes]) for turn in range(processes)]
    ends = [end for process in started for end in json.loads(process.communicate()[0])]
    assert all(process.returncode == 0 for process in started)
    race = Race(
        keys=keys,
        sends=len(sends),
        effects=_effects(database, keys),
        answers=tuple(
            len({end[2] for end in ends if end[0] == key and end[1] == "done"}) for key in range(keys)
        ),
        ends=tuple(sorted((word, sum(end[1] == word for end in ends)) for word in {end[1] for end in ends})),
    )
    database.dispose()
    return race


def _sends(keys: int, seed: int) -> list[tuple[int, str]]:
    """Return who sends what: the key, and the words; the first send of a key is its real one."""
    chance = random.Random(seed)
    sends = []
    for key in range(keys):
        sends.append((key, f"act {key}"))
        for _ in range(chance.randrange(MOST_SENDS)):
            other = "other " if chance.random() < OTHER_SHARE else ""
            sends.append((key, f"{other}act {key}"))
    chance.shuffle(sends)
    return sends


def _start(database_url: str, sends: list[tuple[int, str]]) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.serving.once_race", "--send", database_url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(sends) + "\n")
    process.stdin.flush()
    return process


def _send_all(database_url: str) -> None:
    """Do one process's part; print how each send ended."""
    database = open_database(database_url)
    sends = json.loads(sys.stdin.readline())
    with ThreadPoolExecutor(THREADS) as pool:
        sys.stdout.write(json.dumps(list(pool.map(partial(_send, database), sends))))
    database.dispose()


def _send(database: Engine, send: tuple[int, str]) -> tuple[int, str, str]:
    key, words = send
    fingerprint = hashlib.sha256(words.encode()).hexdigest()
    named = NamedRequest(api_key="abcdefgh", name=f"key-{key}", fingerprint=fingerprint)

    def act() -> bytes:
        with audited_transaction(database, now=NOW) as work:
            work.note("race.acted", who=PERSON, what=words)
        return f"{words} {random.random()}".encode()

    try:
        return key, "done", answer_once(database, named, act, now=NOW).body.decode()
    except (OtherRequestError, StillRunningError) as error:
        return key, type(error).__name__, ""


def _effects(database: Engine, keys: int) -> tuple[int, ...]:
    """Return how many acts each key led to, its other words included."""
    with read_transaction(database) as session:
        notes = session.scalars(select(AuditRow.what).where(AuditRow.act == "race.acted")).all()
    counts = dict.fromkeys(range(keys), 0)
    for note in notes:
        counts[int(note.rpartition(" ")[2])] += 1
    return tuple(counts.values())


def _main(keys: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        race = run_race(f"sqlite:///{folder}/leadpact.db", keys)
    sys.stdout.write(
        f"{race.keys} keys, {race.sends} sends: {dict(race.ends)}\n"
        f"effects per key {sorted(set(race.effects))}, answers per key {sorted(set(race.answers))}\n"
    )


if __name__ == "__main__":
    if sys.argv[1] == "--send":
        _send_all(sys.argv[2])
    else:
        _main(int(sys.argv[1]))
