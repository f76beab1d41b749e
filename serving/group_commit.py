"""Many writes in one commit: while one group is on its way to disk, what comes behind it becomes the next.

Decides who commits, not what is written. Nobody waits for a timer: what comes alone is stored at once, and
many at once share one transaction, whose commit is what costs. One thread writes, so that requests wait as
futures of their event loop and neither for a thread nor for each other's locks.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

from serving.errors import DatabaseUnreachableError

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(slots=True, eq=False)
class Entry(Generic[Item, Result]):
    """Something somebody waits for, in whatever event loop."""

    item: Item
    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[Result]"

    def finish(self, result: Result) -> None:
        """Wake whoever waits; a loop that has ended waits no longer."""
        with suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self._succeed, result)

    def fail(self, error: Exception) -> None:
        """Wake whoever waits with an error."""
        with suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self._fail, error)

    def _succeed(self, result: Result) -> None:
        if not self.future.done():  # else the request was given up
            self.future.set_result(result)

    def _fail(self, error: Exception) -> None:
        if not self.future.done():
            self.future.set_exception(error)


class GroupCommit(Generic[Item, Result]):
    """Used from any number of event loops. `store` runs in one thread and returns a result per item."""

    def __init__(self, store: Callable[[Sequence[Item]], Sequence[Result]], *, most: int, name: str) -> None:
        self._store = store
        self._most = most
        self._name = f"leadpact-{name}"
        self._thread: ThreadPoolExecutor | None = None
        self._gate = threading.Lock()
        self._waiting: list[Entry[Item, Result]] = []
        self._is_storing = False

    async def add(self, item: Item) -> Result:
        """Return when the item is on disk; raise what kept it from it."""
        loop = asyncio.get_running_loop()
        entry: Entry[Item, Result] = Entry(item, loop, loop.create_future())
        with self._gate:
            self._waiting.append(entry)
            if not self._is_storing:
                self._thread = self._thread or ThreadPoolExecutor(1, thread_name_prefix=self._name)
                self._thread.submit(self._store_waiting)
                self._is_storing = True
        return await entry.future

    def close(self) -> None:
        """Store what waits, and end the thread; what comes later begins another one."""
        with self._gate:
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.shutdown()

    def _store_waiting(self) -> None:
        while group := self._take():
            self._store_group(group)

    def _take(self) -> list[Entry[Item, Result]]:
        with self._gate:
            group, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            self._is_storing = bool(group)
            return group

    def _store_group(self, group: Sequence[Entry[Item, Result]]) -> None:
        """Store a group in one transaction; what cannot be stored does not take the others along."""
        try:
            results = self._store([entry.item for entry in group])
        except Exception as error:  # noqa: BLE001 - whatever it is, whoever waits gets it
            if len(group) == 1 or isinstance(error, DatabaseUnreachableError):
                for entry in group:
                    entry.fail(error)
                return
            for entry in group:
                self._store_group([entry])
            return
        for entry, result in zip(group, results, strict=True):
            entry.finish(result)
