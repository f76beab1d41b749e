"""What the routes share: database, secret, history, and the scorer made of champion and active policy.

Starts without any of them; what is missing is looked for again at most every two seconds. Between two
looks a request does no I/O for them.
"""

import hashlib
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from anyio import to_thread
from sqlalchemy import Engine

from features.errors import LeadPactError
from features.history.store import History
from serving.champion import Champion, ChampionInService
from serving.clock import Clock
from serving.db.migrate import prepare_database
from serving.errors import (
    CHECK_DATABASE,
    DatabaseUnreachableError,
    KeyRefusedError,
    Missing,
    ObjectedError,
    ServiceNotReadyError,
)
from serving.group_commit import GroupCommit
from serving.kept_models import KeptModels
from serving.keys import read_or_create_secret
from serving.lead_marks import LeadMarks
from serving.operations.active_policy import ActivePolicy, active_policy
from serving.operations.ask_what_if import Past, prepare_past
from serving.operations.check_api_key import REFUSAL, VerifiedKey, check_api_key, has_expired
from serving.operations.object_to_scoring import objecting_leads
from serving.operations.read_lead import read_lead_to_score
from serving.operations.record_changes import Change, Recorded, Refused, UnknownLeads, record_changes
from serving.operations.record_scores import ScoreRecord, record_scores
from serving.past_scores import NoPastScoresError, matured_leads
from serving.refreshed import Refreshed
from serving.scorer import Scorer, ScoreRequest
from serving.settings import Settings

log = logging.getLogger("leadpact.serving")

MOST_AGE_SECONDS = 2.0
KEY_GRACE_SECONDS = 300.0
"""How long a verified key is believed while the database does not answer: nobody can revoke it either."""

MOST_CACHED_KEYS = 10_000
MOST_SCORES_PER_COMMIT = 200
MOST_CHANGES_PER_COMMIT = 32
"""So many requests in one transaction: nobody waits long for the work of others."""

DATABASE_AWAY = Missing(thing="database", reason="the database does not answer", fix=CHECK_DATABASE)
"""What everybody may read; the reason may name hosts and users, so it goes to the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedKey:
    """A key that was good, when that was last seen, and when it was last looked for (monotonic seconds)."""

    key: VerifiedKey
    seen_at: float
    looked_at: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InService:
    """What scores right now, or what is missing for it; a model without a policy scores nothing."""

    champion: Champion | None = None
    scorer: Scorer | None = None
    missing: tuple[Missing, ...] = ()


class Service:
    """One per process. `clock` tells the time of day, `monotonic` how much of it has passed."""

    def __init__(self, settings: Settings, clock: Clock, monotonic: Callable[[], float]) -> None:
        self.settings = settings
        self.clock = clock
        self._monotonic = monotonic
        self._preparing = threading.Lock()
        self._database: Engine | None = None
        self._secret: bytes | None = None
        self._keys: dict[bytes, CachedKey] = {}
        self._champion = ChampionInService(settings.workspace.models_dir)
        self._policy: ActivePolicy | None = None
        self._objected: frozenset[str] = frozenset()
        self._scorer: Scorer | None = None
        self._reading_past = threading.Lock()
        self._past: tuple[tuple[str, str], Past] | None = None
        self.kept_models = KeptModels(settings.workspace.models_dir)
        self._scores = GroupCommit(self._record_scores, most=MOST_SCORES_PER_COMMIT, name="scores")
        self._changes = GroupCommit(self._record_changes, most=MOST_CHANGES_PER_COMMIT, name="changes")
        self.history = History(settings.workspace.history_dir)
        self._in_service: Refreshed[InService] = Refreshed(
            self._look, most_age_seconds=MOST_AGE_SECONDS, monotonic=monotonic
        )

    def database(self) -> Engine:
        """Return the prepared database; the first call upgrades its tables."""
        with self._preparing:
            if self._database is None:
                self._database = prepare_database(self.settings.database)
            return self._database

    def secret(self) -> bytes:
        """Return the secret under which API keys are hashed."""
        with self._preparing:
            if self._secret is None:
                self._secret = read_or_create_secret(self.settings.workspace.secret_file)
            return self._secret

    def marks(self) -> LeadMarks:
        """Return how erased leads are recognised and leads are named in the audit log."""
        return LeadMarks.of_workspace(self.secret())

    def refuse_objected(self, lead_id: str) -> None:
        """Raise `ObjectedError` for a lead whose person objected, as of the last look (2 s at most)."""
        if lead_id in self._objected:
            raise ObjectedError(lead_id)

    def look_again_at_objections(self) -> None:
        """Take up an objection in this process at once."""
        self._objected = objecting_leads(self.database())

    def close(self) -> None:
        """Finish what is being stored, and give the database connections back."""
        self._scores.close()
        self._changes.close()
        if self._database is not None:
            self._database.dispose()

    async def warm_up(self) -> None:
        """Load model and policy before the first request asks for them; what is missing stays missing."""
        await self._in_service.get()

    async def scorer(self) -> Scorer:
        """Return the scorer in service, or raise `ServiceNotReadyError` with everything that is missing."""
        in_service = await self._in_service.get()
        if in_service.scorer is None:
            raise ServiceNotReadyError(in_service.missing)
        return in_service.scorer

    async def scorer_if_ready(self) -> Scorer | None:
        """Return the scorer in service, or None while a part of it is missing."""
        return (await self._in_service.get()).scorer

    async def champion(self) -> Champion:
        """Return the model in service, or raise `ServiceNotReadyError`."""
        return _champion_or_raise(await self._in_service.get())

    async def past(self) -> Past:
        """Return the past leads, scored by the champion out of time; read again when either has changed.

        Raises `ServiceNotReadyError` without a champion, `NoPastScoresError` without such leads.
        """
        champion = await self.champion()
        return await to_thread.run_sync(self._read_past, champion)

    async def reload(self) -> Champion:
        """Load the champion again and swap it in; `ModelRefusedError` leaves the old one in service."""
        return _champion_or_raise(await self._in_service.renew(lambda: self._join(self._champion.reload())))

    async def verify_key(self, text: str | None) -> VerifiedKey:
        """Return whose key this is, or raise `KeyRefusedError`; looks it up again after two seconds.

        While one request looks, the others go on with what is known, so that nobody queues.
        """
        if not text:
            raise KeyRefusedError(REFUSAL)
        fingerprint = hashlib.sha256(text.encode()).digest()
        cached, now = self._keys.get(fingerprint), self._monotonic()
        if cached is not None:
            if now - cached.looked_at <= MOST_AGE_SECONDS:
                return cached.key
            self._keys[fingerprint] = replace(cached, looked_at=now)
        return await self._check_key(text, fingerprint, cached)

    async def find_stored_lead(self, request: ScoreRequest) -> ScoreRequest:
        """Return the request with what the history knows; `UnknownLeadError` when it knows nothing."""
        return await to_thread.run_sync(self.read_stored_lead, request)

    def read_stored_lead(self, request: ScoreRequest) -> ScoreRequest:
        """Do the same from a thread: what was ingested and imported, and the stage the lead is in by then."""
        stored = read_lead_to_score(self.database(), self.history, request.lead_id, marks=self.marks())
        is_in_stage = stored.stage_since is not None and stored.stage_since <= request.as_of
        is_asked = request.current_stage is None and is_in_stage
        return replace(
            request,
            lead=stored.known.as_of(request.as_of),
            activities=stored.known.activities,
            attribute_changes=stored.known.attribute_changes,
            current_stage=stored.stage if is_asked else request.current_stage,
            stage_since=stored.stage_since if is_asked else request.stage_since,
            is_stored=True,
        )

    async def record(self, records: Sequence[ScoreRecord]) -> None:
        """Store scores, in one commit with those of other requests; they are on disk when this returns."""
        if records:
            await self._scores.add(records)

    async def change(self, change: Change) -> Recorded | UnknownLeads:
        """Store a change of leads, in one commit with those of other requests; its leads are scored then."""
        return _kept(await self._changes.add((change, await self.scorer_if_ready())))

    def change_alone(
        self, database: Engine, change: Change, scorer: Scorer | None
    ) -> Recorded | UnknownLeads:
        """Store a change in the transaction of whoever calls, or in one of its own; from a thread."""
        (done,) = record_changes(
            database, [change], history=self.history, scorer=scorer, now=self.clock(), marks=self.marks()
        )
        return _kept(done)

    async def _check_key(self, text: str, fingerprint: bytes, cached: CachedKey | None) -> VerifiedKey:
        try:
            key = await to_thread.run_sync(self._look_up_key, text)
        except KeyRefusedError:
            self._keys.pop(fingerprint, None)
            raise
        except DatabaseUnreachableError:
            if cached is None or not self._may_go_on(cached):
                self._keys.pop(fingerprint, None)
                raise
            return cached.key
        if len(self._keys) >= MOST_CACHED_KEYS:
            self._keys.clear()
        now = self._monotonic()
        self._keys[fingerprint] = CachedKey(key=key, seen_at=now, looked_at=now)
        return key

    def _may_go_on(self, cached: CachedKey) -> bool:
        is_recent = self._monotonic() - cached.seen_at <= KEY_GRACE_SECONDS
        return is_recent and not has_expired(cached.key, self.clock())

    def _read_past(self, champion: Champion) -> Past:
        if not self.history.exists():
            raise NoPastScoresError("nothing was imported yet: run `leadpact import`")
        key = (self.history.fingerprint(), champion.model.manifest.manifest_hash)
        with self._reading_past:
            if self._past is None or self._past[0] != key:
                self._past = (key, prepare_past(matured_leads(champion, self.history.read())))
            return self._past[1]

    def _look_up_key(self, text: str) -> VerifiedKey:
        return check_api_key(self.database(), text, secret=self.secret(), now=self.clock())

    def _record_scores(self, groups: Sequence[Sequence[ScoreRecord]]) -> Sequence[None]:
        record_scores(self.database(), [one for group in groups for one in group], now=self.clock())
        return [None] * len(groups)

    def _record_changes(self, wanted: Sequence[tuple[Change, Scorer | None]]) -> Sequence[Recorded | Refused]:
        changes, scorer = [change for change, _ in wanted], wanted[-1][1]
        return record_changes(
            self.database(),
            changes,
            history=self.history,
            scorer=scorer,
            now=self.clock(),
            marks=self.marks(),
        )

    def _look(self) -> InService:
        return self._join(self._champion.follow())

    def _join(self, champion: Champion | Missing) -> InService:
        policy = self._find_policy()
        if isinstance(champion, Missing) or isinstance(policy, Missing):
            missing = tuple(part for part in (champion, policy) if isinstance(part, Missing))
            return InService(champion=None if isinstance(champion, Missing) else champion, missing=missing)
        scorer = self._scorer
        if scorer is None or scorer.champion is not champion or scorer.active is not policy:
            scorer = self._scorer = Scorer(champion, policy)
            log.info("scorer.in_service model=%s policy=%s", scorer.model_version, scorer.policy_version)
        return InService(champion=champion, scorer=scorer)

    def _find_policy(self) -> ActivePolicy | Missing:
        try:
            self.look_again_at_objections()
            found = active_policy(self.database(), now=self.clock())
        except DatabaseUnreachableError as error:
            log.warning("database.unreachable reason=%r", str(error))
            return self._policy or DATABASE_AWAY
        if isinstance(found, Missing):
            self._policy = None
            return found
        if self._policy != found:
            self._policy = found
        return self._policy


def _champion_or_raise(in_service: InService) -> Champion:
    if in_service.champion is None:
        raise ServiceNotReadyError(in_service.missing)
    return in_service.champion


def _kept(done: Recorded | Refused) -> Recorded | UnknownLeads:
    """Return what came of a change, or raise why it was refused."""
    if isinstance(done, LeadPactError):
        raise done
    return done
