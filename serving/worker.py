"""The worker: looks at clocks and scores again and again until it is told to stop. Several may run at once.

Decides when to look, not what is due (`sweep_clocks`, `raise_missed_answers`, `rescore_leads`). A database
that does not answer is looked for again at the next turn; whatever was due is then raised late, with its own
time.
"""

import logging
from collections.abc import Callable

from sqlalchemy import Engine

from serving.clock import Clock
from serving.errors import DatabaseUnreachableError
from serving.operations.raise_missed_answers import raise_missed_answers
from serving.operations.rescore_leads import MOST_PER_BATCH, NOTHING_DUE, Rescored
from serving.operations.sweep_clocks import MOST_PER_SWEEP, Swept, sweep_clocks
from serving.repeated import Repeated
from serving.rescorer import MOST_BATCHES_PER_TURN, Rescorer

log = logging.getLogger("leadpact.worker")

SWEEP_SECONDS = 15.0
MOST_SWEEPS_PER_TURN = 20
"""After an outage this many thousands of clocks are caught up in one turn; the rest waits for the next."""


class Worker(Repeated):
    """One thread that sweeps; `turn` is one look at the clocks.

    With a `rescorer` the scores of open leads are made again after each look; while there is more of it than
    one turn takes, the next one follows at once.
    """

    stop_seconds = 10.0

    def __init__(
        self,
        database: Callable[[], Engine],
        clock: Clock,
        *,
        every_seconds: float = SWEEP_SECONDS,
        rescorer: Rescorer | None = None,
    ) -> None:
        super().__init__("worker")
        self._database = database
        self._rescorer = rescorer
        self._clock = clock
        self._every_seconds = every_seconds

    def run(self) -> None:
        """Sweep until stopped."""
        log.info("worker.started every_seconds=%g", self._every_seconds)
        super().run()
        log.info("worker.stopped")

    def step(self) -> float:
        """Sweep and score; while more of it waits, go on at once."""
        return 0.0 if self._try_turn() else self._every_seconds

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

    def rescore(self) -> Rescored:
        """Score again what is due, within bounds; return what was done in all."""
        return NOTHING_DUE if self._rescorer is None else self._rescorer.turn(self._stopped)

    def _try_turn(self) -> bool:
        """Sweep and score; say whether more of it waits."""
        try:
            swept, rescored = self.turn(), self.rescore()
        except DatabaseUnreachableError as error:
            log.warning("worker.database_unreachable reason=%r", str(error))
            return False
        except Exception:  # one turn that fails must not end the worker; the log says why
            log.exception("worker.turn_failed")
            return False
        if swept.raised or swept.assigned:
            log.info("worker.swept raised=%d assigned=%d", swept.raised, swept.assigned)
        if rescored.looked_at:
            log.info("worker.rescored leads=%d changed=%d", rescored.looked_at, rescored.changed)
        return rescored.looked_at >= MOST_BATCHES_PER_TURN * MOST_PER_BATCH
