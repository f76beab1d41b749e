"""Stores scores in groups: while one group is on its way to disk, the scores behind it become the next one.

Decides who commits, not what is written (`serving.operations.record_scores`). Nobody waits for a timer: a
score that comes alone is stored at once, and many at once share one commit, which is what costs.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from serving.errors import DatabaseUnreachableError
from serving.operations.record_scores import ScoreRecord

Store = Callable[[Sequence[ScoreRecord]], None]


@dataclass(slots=True, eq=False)
class Entry:
    """Scores somebody waits for, how storing them ended, and the call that ends the waiting."""

    records: Sequence[ScoreRecord]
    is_stored: bool = False
    error: Exception | None = None
    called: threading.Event = field(default_factory=threading.Event)


class ScoreLog:
    """One per process; called from any number of threads, each of which waits until its scores are stored.

    One thread at a time leads: it takes everything that waits, stores it, wakes whom it stored for, and calls
    the first of those that came meanwhile to lead next.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._gate = threading.Lock()
        self._waiting: list[Entry] = []
        self._is_led = False

    def add(self, records: Sequence[ScoreRecord]) -> None:
        """Return when the scores are on disk; raise what kept them from it."""
        entry = Entry(records)
        with self._gate:
            self._waiting.append(entry)
            leads, self._is_led = not self._is_led, True
        if not leads:
            entry.called.wait()
        if not entry.is_stored and entry.error is None:
            self._lead()
        if entry.error is not None:
            raise entry.error

    def _lead(self) -> None:
        with self._gate:
            group, self._waiting = self._waiting, []
        try:
            self._store_group(group)
        finally:
            with self._gate:
                next_one = self._waiting[0] if self._waiting else None
                self._is_led = next_one is not None
            for entry in (*group, *(() if next_one is None else (next_one,))):
                entry.called.set()

    def _store_group(self, group: Sequence[Entry]) -> None:
        """Store a group in one transaction; scores that cannot be stored do not take the others along."""
        try:
            self._store([record for entry in group for record in entry.records])
        except DatabaseUnreachableError as error:
            for entry in group:
                entry.error = error
        except Exception as error:  # noqa: BLE001 - whatever it is, whoever waits gets it
            if len(group) == 1:
                group[0].error = error
                return
            for entry in group:
                self._store_group([entry])
        else:
            for entry in group:
                entry.is_stored = True
