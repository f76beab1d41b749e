"""Work that is done again and again in a thread of its own until it is told to stop.

Decides how such a thread lives; what it does in one step, and how long it then rests, is its owner's.
"""

import threading
from abc import ABC, abstractmethod


class Repeated(ABC):
    """`start` and `stop` frame a thread of steps; `run` takes them in the thread of whoever calls."""

    stop_seconds = 20.0
    """How long `stop` waits for the step under way."""

    def __init__(self, name: str) -> None:
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self.run, name=f"leadpact-{name}", daemon=True)

    def start(self) -> None:
        """Begin, beside whatever the process does."""
        self._thread.start()

    def stop(self) -> None:
        """Let the step under way end, and take no other; a thread that was started is waited for."""
        self._stopped.set()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(self.stop_seconds)

    def run(self) -> None:
        """Take steps until stopped."""
        while not self._stopped.is_set():
            self._stopped.wait(self.step())

    @abstractmethod
    def step(self) -> float:
        """Do what is due, whatever fails; return the seconds to rest."""
