"""The janitor: finishes erasures in files, and deletes what was kept long enough. Several may run."""

import logging
from collections.abc import Callable

from sqlalchemy import Engine

from features.errors import LeadPactError
from features.history.store import History
from serving.clock import Clock
from serving.lead_marks import LeadMarks
from serving.operations.finish_erasures import finish_erasures
from serving.operations.object_to_scoring import write_objections
from serving.operations.run_retention import run_retention
from serving.operations.sweep_clocks import WORKER
from serving.repeated import Repeated
from serving.settings import Settings

log = logging.getLogger("leadpact.janitor")

TURN_SECONDS = 10.0
TURNS_PER_RETENTION = 360
"""Erasures are finished within seconds; what is kept too long is looked for every hour."""


class Janitor(Repeated):
    """One per process: `turn` does both, most steps finish erasures only."""

    def __init__(
        self, database: Callable[[], Engine], secret: Callable[[], bytes], clock: Clock, settings: Settings
    ) -> None:
        super().__init__("janitor")
        self._database = database
        self._secret = secret
        self._clock = clock
        self._settings = settings
        self._steps = 0

    def step(self) -> float:
        """Finish erasures; every so often delete what is over, too."""
        self._try(self.turn if self._steps % TURNS_PER_RETENTION == 0 else self.finish)
        self._steps += 1
        return TURN_SECONDS

    def turn(self) -> None:
        """Finish erasures, then delete what is over."""
        self.finish()
        write_objections(self._database(), History(self._settings.workspace.history_dir))
        counts = run_retention(self._database(), self._settings, by=WORKER, now=self._clock(), dry_run=False)
        for one in counts:
            if one.count:
                log.info(
                    "retention.deleted class=%s count=%d keep_days=%s", one.what, one.count, one.keep_days
                )

    def finish(self) -> int:
        """Finish erasures in the files of the workspace; return how many."""
        places = self._settings.workspace
        finished = finish_erasures(
            self._database(),
            history=History(places.history_dir),
            rejects_dir=places.rejects_dir,
            marks=LeadMarks.of_workspace(self._secret()),
        )
        if finished:
            log.info("erasures.finished count=%d", finished)
        return finished

    def _try(self, part: Callable[[], object]) -> None:
        try:
            part()
        except LeadPactError as error:  # the database is away or an import runs: the next turn does it
            log.warning("janitor.waits reason=%r", str(error))
        except Exception:  # one turn that fails must not end the janitor; the log says why
            log.exception("janitor.turn_failed")
