"""Many writes in one commit: while one group is on its way to disk, what comes behind it becomes the next.

Decides who commits, not what is written. Nobody waits for a timer: what comes alone is stored at once, and
many at once share one transaction, whose commit is what costs.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from serving.errors import DatabaseUnreachableError

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(slots=True, eq=False)
class Entry(Generic[Item, Result]):
    """Something somebody waits for, how it ended, and the call that ends the waiting."""

    item: Item
    result: Result | None = None
    is_stored: bool = False
    error: Exception | None = None
    called: threading.Event = field(default_factory=threading.Event)


class GroupCommit(Generic[Item, Result]):
    """Called from any number of threads, each of which waits until what it brought is stored.

    One thread at a time leads: it takes what waits, stores it, wakes whom it stored for, and calls the first
    of those that came meanwhile to lead next. `store` returns a result per item, in order.
    """

    def __init__(self, store: Callable[[Sequence[Item]], Sequence[Result]], *, most: int) -> None:
        self._store = store
        self._most = most
        self._gate = threading.Lock()
        self._waiting: list[Entry[Item, Result]] = []
        self._is_led = False

    def add(self, item: Item) -> Result:
        """Return when the item is on disk; raise what kept it from it."""
        entry: Entry[Item, Result] = Entry(item)
        with self._gate:
            self._waiting.append(entry)
            leads, self._is_led = not self._is_led, True
        if not leads:
            entry.called.wait()
        if not entry.is_stored and entry.error is None:
            self._lead()
        if entry.error is not None:
            raise entry.error
        return entry.result  # type: ignore[return-value]  # it is stored, so the result is there

    def _lead(self) -> None:
        with self._gate:
            group, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
        try:
            self._store_group(group)
        finally:
            with self._gate:
                next_one = self._waiting[:1]
                self._is_led = bool(next_one)
            for entry in (*group, *next_one):
                entry.called.set()

    def _store_group(self, group: Sequence[Entry[Item, Result]]) -> None:
        """Store a group in one transaction; what cannot be stored does not take the others along."""
        try:
            results = self._store([entry.item for entry in group])
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
            for entry, result in zip(group, results, strict=True):
                entry.result, entry.is_stored = result, True
