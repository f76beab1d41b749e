"""The courier: sends what is due, several at a time, and writes down what came of it. Several may run.

Decides how many are on their way; whose turn it is `claim_deliveries` decides, and what follows from an
answer `serving.crm.retries`.
"""

import logging
from collections import Counter
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from sqlalchemy import Engine

from serving.clock import Clock
from serving.crm.retries import DeliveryStatus, Sent, judge
from serving.crm.sealing import SecretLostError, unseal
from serving.crm.sender import Outgoing, Send
from serving.crm.signatures import signed_headers
from serving.errors import DatabaseUnreachableError
from serving.operations.claim_deliveries import Claimed, claim_deliveries
from serving.operations.record_deliveries import Outcome, record_deliveries
from serving.repeated import Repeated

log = logging.getLogger("leadpact.courier")

SENDERS = 8
LOOK_SECONDS = 1.0
Flying = dict["Future[Outcome]", Claimed]


class Courier(Repeated):
    """One per process: `turn` sends everything due."""

    def __init__(
        self, database: Callable[[], Engine], secret: Callable[[], bytes], clock: Clock, send: Send
    ) -> None:
        super().__init__("courier")
        self._database = database
        self._secret = secret
        self._clock = clock
        self._send = send

    def turn(self) -> "Counter[str]":
        """Send until nothing is due or on its way; return how many tries ended in which status."""
        ends: Counter[str] = Counter()
        flying: Flying = {}
        with ThreadPoolExecutor(SENDERS) as pool:
            while True:
                for claimed in self._claim(flying):
                    flying[pool.submit(self._deliver, claimed)] = claimed
                if not flying:
                    return ends
                outcomes = self._land(flying)
                ends.update(outcome.verdict.status.value for outcome in outcomes)

    def _claim(self, flying: Flying) -> tuple[Claimed, ...]:
        room = 0 if self._stopped.is_set() else SENDERS - len(flying)
        if room == 0:
            return ()
        busy = Counter(claimed.webhook_id for claimed in flying.values())
        return claim_deliveries(self._database(), most=room, busy=busy, now=self._clock())

    def _land(self, flying: Flying) -> list[Outcome]:
        """Wait for the first tries to end and write down what came of them."""
        done, _ = wait(flying, return_when=FIRST_COMPLETED)
        outcomes = [future.result() for future in done]
        for future in done:
            del flying[future]
        record_deliveries(self._database(), outcomes)
        for outcome in outcomes:
            _log(outcome)
        return outcomes

    def _deliver(self, claimed: Claimed) -> Outcome:
        sent = self._try_to_send(claimed)
        now, tries = self._clock(), claimed.tries + 1
        verdict = judge(sent, tries=tries, message_id=claimed.message_id, now=now)
        return Outcome(claimed=claimed, verdict=verdict, at=now)

    def _try_to_send(self, claimed: Claimed) -> Sent:
        body = claimed.body.encode()
        try:
            texts = [
                unseal(sealed, webhook_id=claimed.webhook_id, secret=self._secret())
                for sealed in claimed.secrets
            ]
        except SecretLostError as error:
            return Sent(status=None, reason=str(error))
        headers = signed_headers(texts, message_id=claimed.message_id, body=body, now=self._clock())
        return self._send(Outgoing(url=claimed.url, headers=headers, body=body))

    def step(self) -> float:
        """Deliver what is due."""
        try:
            self.turn()
        except DatabaseUnreachableError as error:
            log.warning("courier.database_unreachable reason=%r", str(error))
        except Exception:  # one turn that fails must not end the courier; the log says why
            log.exception("courier.turn_failed")
        return LOOK_SECONDS


def _log(outcome: Outcome) -> None:
    claimed, verdict = outcome.claimed, outcome.verdict
    if verdict.status is DeliveryStatus.DELIVERED:
        return
    words = "courier.%s webhook=%s message=%s tries=%d result=%r"
    status = "parked" if verdict.status is DeliveryStatus.PARKED else "not_delivered"
    log.warning(words, status, claimed.webhook_id, claimed.message_id, claimed.tries + 1, verdict.result)
