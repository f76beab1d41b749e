"""Keeps the scores of open leads fresh: follows champion and policy, and works off what is due.

Decides how much at a time, not which lead is due (`serving.operations.rescore_leads`).
"""

import logging
from collections.abc import Callable
from threading import Event

from sqlalchemy import Engine

from features.history.store import History
from serving.champion import ChampionInService
from serving.clock import Clock
from serving.errors import Missing
from serving.operations.active_policy import active_policy
from serving.operations.rescore_leads import MOST_PER_BATCH, NOTHING_DUE, Rescored, rescore_leads
from serving.scorer import Scorer
from serving.settings import Settings

log = logging.getLogger("leadpact.worker")

MOST_BATCHES_PER_TURN = 50
REST_SECONDS = 0.02
"""Between two batches, so that whoever shares process and database comes in."""


class Rescorer:
    """One per worker, used from its thread only."""

    def __init__(self, settings: Settings, database: Callable[[], Engine], clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._history = History(settings.workspace.history_dir)
        self._champion = ChampionInService(settings.workspace.models_dir)
        self._scorer: Scorer | None = None

    def turn(self, stopped: Event) -> Rescored:
        """Score what is due, within bounds; without a model or a policy nothing is."""
        scorer = self._follow()
        looked_at, changed = 0, 0
        for _ in range(MOST_BATCHES_PER_TURN):
            done = self._batch(scorer)
            looked_at, changed = looked_at + done.looked_at, changed + done.changed
            if done.looked_at < MOST_PER_BATCH or stopped.wait(REST_SECONDS):
                break
        return Rescored(looked_at=looked_at, changed=changed)

    def _batch(self, scorer: Scorer | None) -> Rescored:
        if scorer is None:
            return NOTHING_DUE
        return rescore_leads(self._database(), history=self._history, scorer=scorer, now=self._clock())

    def _follow(self) -> Scorer | None:
        """Return the scorer of the champion and the policy in force, the one there is if neither changed."""
        champion, policy = self._champion.follow(), active_policy(self._database(), now=self._clock())
        if isinstance(champion, Missing) or isinstance(policy, Missing):
            return None
        known = self._scorer
        if known is None or known.champion is not champion or known.active != policy:
            self._scorer = Scorer(champion, policy)
        return self._scorer
