"""The worker: looks at the clocks again and again until it is told to stop. Several may run at once.

Decides when to look, not what is due (`sweep_clocks`, `raise_missed_answers`). A database that does not
answer is looked for again at the next turn; whatever was due is then raised late, with its own time.
"""

import logging
import threading
from collections.abc import Callable

from sqlalchemy import Engine

from serving.clock import Clock
from serving.errors import DatabaseUnreachableError
from serving.operations.raise_missed_answers import raise_missed_answers
from serving.operations.sweep_clocks import MOST_PER_SWEEP, Swept, sweep_clocks

log = logging.getLogger("leadpact.worker")

SWEEP_SECONDS = 15.0
MOST_SWEEPS_PER_TURN = 20
"""After an outage this many thousands of clocks are caught up in one turn; the rest waits for the next."""

STOP_SECONDS = 10.0


class Worker:
    """One thread that sweeps; `start` and `stop` frame its life, `turn` is one look."""

    def __init__(
        self, database: Callable[[], Engine], clock: Clock, *, every_seconds: float = SWEEP_SECONDS
    ) -> None:
        self._database = database
        self._clock = clock
        self._every_seconds = every_seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self.run, name="leadpact-worker", daemon=True)

    def start(self) -> None:
        """Begin to sweep beside whatever the process does."""
        self._thread.start()

    def stop(self) -> None:
        """Let the sweep under way finish, and end; a thread that was started is waited for."""
        self._stopped.set()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(STOP_SECONDS)

    def run(self) -> None:
        """Sweep until stopped."""
        log.info("worker.started every_seconds=%g", self._every_seconds)
        while not self._stopped.is_set():
            self._try_turn()
            self._stopped.wait(self._every_seconds)
        log.info("worker.stopped")

    def turn(self) -> Swept:
        """Sweep until nothing is due, within bounds; return what was done in all."""
        handovers, raised, assigned = 0, 0, 0
        for _ in range(MOST_SWEEPS_PER_TURN):
            swept = sweep_clocks(self._database(), now=self._clock())
            handovers, raised = handovers + swept.handovers, raised + swept.raised
            assigned += swept.assigned
            if swept.handovers < MOST_PER_SWEEP or self._stopped.is_set():
                break
        raised += raise_missed_answers(self._database(), now=self._clock())
        return Swept(handovers=handovers, raised=raised, assigned=assigned)

    def _try_turn(self) -> None:
        try:
            swept = self.turn()
        except DatabaseUnreachableError as error:
            log.warning("worker.database_unreachable reason=%r", str(error))
            return
        except Exception:  # one turn that fails must not end the worker; the log says why
            log.exception("worker.turn_failed")
            return
        if swept.raised or swept.assigned:
            log.info("worker.swept raised=%d assigned=%d", swept.raised, swept.assigned)
