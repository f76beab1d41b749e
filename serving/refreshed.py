"""A value that is looked up again when it is too old. Decides when to look, not what to look at."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

from anyio import to_thread

Value = TypeVar("Value")


class Refreshed(Generic[Value]):
    """Holds what `load` returned; a value older than `most_age_seconds` is loaded again, in a thread.

    While one request looks it up again the others go on with the value there is, so that nobody queues.
    """

    def __init__(
        self, load: Callable[[], Value], *, most_age_seconds: float, monotonic: Callable[[], float]
    ) -> None:
        self._load = load
        self._most_age_seconds = most_age_seconds
        self._monotonic = monotonic
        self._lock = asyncio.Lock()
        self._held: tuple[Value, float] | None = None

    async def get(self) -> Value:
        """Return the value, at most `most_age_seconds` old plus the time one look takes."""
        held = self._held
        if held is not None and (self._lock.locked() or not self._is_old(held[1])):
            return held[0]
        async with self._lock:
            held = self._held
            if held is not None and not self._is_old(held[1]):
                return held[0]
            return await self._look()

    async def renew(self, load: Callable[[], Value]) -> Value:
        """Replace the value now by what another look returns; its error leaves the old one in place."""
        async with self._lock:
            value = await to_thread.run_sync(load)
            self._held = (value, self._monotonic())
            return value

    async def _look(self) -> Value:
        value = await to_thread.run_sync(self._load)
        self._held = (value, self._monotonic())
        return value

    def _is_old(self, looked_at: float) -> bool:
        return self._monotonic() - looked_at > self._most_age_seconds
