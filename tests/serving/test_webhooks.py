"""The outbox on both databases: told with what happened, delivered in order, parked where it is seen."""

import json
import random
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from sqlalchemy import Engine, select
from standardwebhooks.webhooks import Webhook
from typer.testing import CliRunner

from features.errors import InputError
from serving import cli
from serving.courier import Courier
from serving.crm.retries import WAITS, Sent
from serving.crm.sender import HttpSender
from serving.db.session import read_transaction
from serving.db.tables_messages import MessageRow
from serving.keys import read_or_create_secret
from serving.operations.add_webhook import NewWebhook, add_webhook
from serving.operations.claim_deliveries import LEASE, claim_deliveries
from serving.operations.list_webhooks import ListedWebhook, list_webhooks
from serving.operations.remove_webhook import remove_webhook
from serving.operations.replay_messages import replay_messages
from serving.operations.rotate_webhook_secret import rotate_webhook_secret
from serving.operations.sweep_clocks import sweep_clocks
from serving.outbox import CLOCK_EVENTS, Event
from serving.settings import Settings
from tests.builders_serving import NOW, Desk, TestClock, install_policy, open_desk
from tests.serving.conftest import closing
from tests.serving.receivers import HANG_UP, Got, Inbox, running_receiver, tell_about
from tests.serving.test_handovers import act, ask_for_demo, put, work_policy

SECRET = b"s" * 32
ANYWHERE = "https://receiver.test/hook"
FAILED = Sent(status=500, reason="the receiver answered 500")


def add(database: Engine, *events: Event, url: str = ANYWHERE) -> NewWebhook:
    """Add a receiver."""
    return add_webhook(database, url, events, secret=SECRET, by="test", now=NOW, allow_local=True)


def courier(database: Engine, inbox: Any, clock: TestClock | None = None) -> Courier:
    """Return a courier with a clock of the test's."""
    return Courier(lambda: database, lambda: SECRET, (clock or TestClock()).tell, inbox)


def listed(database: Engine) -> ListedWebhook:
    """Return the only webhook."""
    (one,) = list_webhooks(database)
    return one


def by_lead(names: list[str]) -> dict[str, list[int]]:
    """Return the numbers that arrived per lead, in their order."""
    found: dict[str, list[int]] = {}
    for name in names:
        lead_id, _, number = name.partition(":")
        found.setdefault(lead_id, []).append(int(number))
    return found


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Return a service whose policy says who works and when."""
    root = tmp_path_factory.mktemp("told") / "workspace"
    settings = Settings(workspace_root=root, database_url=None, mlflow_tracking_uri=None)
    opened = open_desk(settings)
    install_policy(settings, work_policy())
    yield from closing(opened)


def test_what_happens_is_told_in_its_order(desk: Desk) -> None:
    """One lead's way through the real API, one policy: every message of the contract, as CloudEvents."""
    database = desk.app.state.service.database()
    ask_for_demo(desk, "told")
    sweep_clocks(database, now=NOW + timedelta(days=3))
    deal = {"deal_id": "D1", "lead_id": "told", "opened_at": NOW.isoformat()}
    won = deal | {"outcome": "won", "closed_at": NOW.isoformat(), "amount": 9}
    assert desk.post("/v1/deals", {"items": [won]}).status_code == 200
    assert desk.post("/v1/deals", {"items": [won | {"amount": 8}]}).status_code == 200
    with read_transaction(database) as session:
        rows = session.scalars(select(MessageRow).order_by(MessageRow.position)).all()
        told = [json.loads(row.body) for row in rows]
    assert [one["data"]["policy_version"] for one in told if one["type"] == "policy.activated"] == [1, 2]
    about = [one for one in told if one.get("subject") == "told"]
    assert Counter(one["type"] for one in about) == {
        "lead.stage_changed": 2,
        "handover.created": 1,
        "handover.due_soon": 1,
        "handover.breached": 1,
        "handover.escalated": 1,
        "deal.won": 1,
    }
    stages = [
        (one["data"]["from_stage"], one["data"]["to_stage"]) for one in about if "to_stage" in one["data"]
    ]
    assert [first for first, _ in stages][1:] == [last for _, last in stages][:-1]
    assert stages[-1][1] == "customer"
    kinds = [one["type"] for one in about]
    assert kinds.index("handover.created") < min(kinds.index(f"handover.{word}") for word in CLOCK_EVENTS)
    for one in told:
        assert one.keys() - {"subject"} == {
            *("specversion", "id", "source", "type", "time", "datacontenttype", "data"),
        }
        assert (one["specversion"], one["time"].endswith("Z")) == ("1.0", True)


def test_a_handover_given_back_and_a_lost_deal_are_told(desk: Desk) -> None:
    """The way back to marketing is a handover too."""
    handover = ask_for_demo(desk, "back")["handover_id"]
    assert act(desk, handover, "reject", reason_group="data", reason="no company").status_code == 200
    lost = {"deal_id": "D2", "lead_id": "back", "outcome": "lost", "closed_at": NOW.isoformat()}
    assert desk.post("/v1/deals", {"items": [lost]}).status_code == 200
    with read_transaction(desk.app.state.service.database()) as session:
        rows = session.scalars(select(MessageRow).where(MessageRow.lead_id == "back")).all()
        told = [json.loads(row.body) for row in rows]
    directions = [one["data"]["direction"] for one in told if one["type"] == "handover.created"]
    assert directions == ["to_sales", "to_marketing"]
    assert [one["data"]["deal_id"] for one in told if one["type"] == "deal.lost"] == ["D2"]
    assert "no company" not in json.dumps(told)


def test_scores_are_told_on_request_and_a_refused_act_tells_nothing(desk: Desk) -> None:
    """Without a receiver that asked there is no row per score; what is rolled back was never written."""
    database = desk.app.state.service.database()

    def scored() -> int:
        with read_transaction(database) as session:
            return len(session.scalars(select(MessageRow).where(MessageRow.event == "lead.scored")).all())

    put(desk, "quiet")
    assert scored() == 0
    webhook = add(database, Event.LEAD_SCORED)
    put(desk, "loud")
    assert scored() == 1
    wrong = {
        "items": [
            {"deal_id": "deal-nine", "lead_id": "loud", "outcome": "won", "closed_at": "2030-01-01T00:00:00Z"}
        ]
    }
    assert desk.post("/v1/deals", wrong).status_code == 422
    with read_transaction(database) as session:
        assert not session.scalars(select(MessageRow).where(MessageRow.body.contains("deal-nine"))).all()
    remove_webhook(database, webhook.webhook_id, by="test", now=NOW)


def test_a_message_of_a_later_day_waits_for_it(database: Engine) -> None:
    """A policy that is signed today and valid tomorrow is told tomorrow."""
    from serving.operations.propose_policy import propose_policy
    from serving.operations.sign_policy import sign_policy
    from sla.stages import Side
    from tests.builders_serving import MARKETING, SALES, policy_version

    add(database)
    version = propose_policy(database, policy_version(2, "2026-12-01"), by=MARKETING, now=NOW)
    for side, person in ((Side.MARKETING, MARKETING), (Side.SALES, SALES)):
        sign_policy(database, version=version, side=side, person=person, now=NOW)
    clock, inbox = TestClock(), Inbox()
    assert courier(database, inbox, clock).turn() == {}
    clock.advance(8 * 86_400)
    assert courier(database, inbox, clock).turn() == {"delivered": 1}


def test_messages_of_a_lead_keep_their_order_whatever_fails(database: Engine) -> None:
    """Each lead's first try fails half of the time: the others of that lead wait, other leads go on."""
    add(database)
    tell_about(database, *((f"L{place % 4}", place) for place in range(24)))
    chance, clock = random.Random(1), TestClock()
    inbox = Inbox(decide=lambda _: FAILED if chance.random() < 0.4 else Sent(status=200, reason="taken"))
    runner = courier(database, inbox, clock)
    for _ in range(20):
        runner.turn()
        clock.advance(3_600 * 30)
    assert len(inbox.taken) == 24
    assert all(numbers == sorted(numbers) for numbers in by_lead(inbox.taken).values())
    assert listed(database).delivered == 24


def test_the_schedule_on_a_clock_of_its_own(database: Engine) -> None:
    """Tried at the agreed moments and no others, then parked with the reason, then replayed by a person."""
    webhook = add(database)
    tell_about(database, ("L1", 1), ("L1", 2))
    clock, inbox = TestClock(), Inbox(decide=lambda _: FAILED)
    runner = courier(database, inbox, clock)
    for wait in (timedelta(0), *WAITS):
        clock.advance(max(wait.total_seconds() - 1, 0))
        runner.turn()
        clock.advance(wait.total_seconds() * 0.11 + 1)
        runner.turn()
    assert inbox.tries[: len(WAITS) + 1] == ["L1:1"] * (len(WAITS) + 1)
    parked = listed(database)
    assert (parked.parked, parked.pending) == (1, 1)
    assert (parked.parked_first[0].tries, parked.parked_first[0].last_result) == (10, FAILED.reason)
    assert replay_messages(database, webhook.webhook_id, since=None, by="test", now=clock.tell()) == 1
    inbox.decide = lambda _: Sent(status=204, reason="taken")
    clock.advance(86_400)
    runner.turn()
    assert inbox.taken == ["L1:1", "L1:2"]


def test_a_receiver_that_is_gone_is_switched_off(database: Engine) -> None:
    """410 parks the message and stops the rest; a replay switches the webhook on again."""
    webhook = add(database)
    tell_about(database, ("L1", 1), ("L2", 2))
    inbox = Inbox(decide=lambda _: Sent(status=410, reason="the receiver answered 410"))
    courier(database, inbox).turn()
    tell_about(database, ("L3", 3))
    before = len(inbox.tries)
    assert courier(database, inbox).turn() == {}
    state = listed(database)
    assert state.disabled_at == NOW
    assert state.disabled_because == "the receiver answered 410"
    assert state.parked == before
    inbox.decide = lambda _: Sent(status=200, reason="taken")
    replay_messages(database, webhook.webhook_id, since=NOW - timedelta(days=1), by="test", now=NOW)
    courier(database, inbox).turn()
    assert sorted(inbox.taken) == ["L1:1", "L2:2", "L3:3"]


def test_a_busy_receiver_rests_and_the_others_do_not(database: Engine) -> None:
    """429 with Retry-After holds back everything for that webhook until then."""
    add(database)
    tell_about(database, *((f"L{number}", number) for number in range(9)))
    clock = TestClock()
    inbox = Inbox(decide=lambda _: Sent(status=429, reason="busy", retry_after="600"))
    runner = courier(database, inbox, clock)
    runner.turn()
    tried = len(inbox.tries)
    assert tried < 9
    clock.advance(599)
    assert runner.turn() == {}
    inbox.decide = lambda _: Sent(status=200, reason="taken")
    clock.advance(1_000)
    runner.turn()
    assert len(inbox.taken) == 9


def test_a_dead_couriers_message_is_taken_over(database: Engine) -> None:
    """Its lease runs out within 30 seconds; before that nobody else sends the message."""
    add(database)
    tell_about(database, ("L1", 1))
    (claimed,) = claim_deliveries(database, most=8, busy={}, now=NOW)
    clock, inbox = TestClock(), Inbox()
    clock.advance(LEASE.total_seconds() - 1)
    assert courier(database, inbox, clock).turn() == {}
    clock.advance(1)
    assert courier(database, inbox, clock).turn() == {"delivered": 1}
    assert timedelta(seconds=39) > LEASE
    assert claimed.tries == 0


def test_couriers_side_by_side_deliver_each_message_once(database: Engine) -> None:
    """Three at a time over one database: in order per lead, nothing twice."""
    add(database)
    tell_about(database, *((f"L{place % 5}", place) for place in range(30)))
    inbox = Inbox()
    threads = [threading.Thread(target=courier(database, inbox).turn) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    courier(database, inbox).turn()
    assert sorted(inbox.taken) == sorted(f"L{place % 5}:{place}" for place in range(30))
    assert all(numbers == sorted(numbers) for numbers in by_lead(inbox.taken).values())


def test_a_hanging_receiver_does_not_hold_up_another(database: Engine) -> None:
    """It occupies some of the senders; the other webhook gets everything meanwhile."""
    hanging, quick = add(database, url="https://hanging.test/"), add(database, url="https://quick.test/")
    tell_about(database, *((f"L{number}", number) for number in range(20)))
    may_end, seen, waiting = threading.Event(), Counter[str](), threading.Event()

    def send(outgoing: Any) -> Sent:
        seen[outgoing.url] += 1
        if outgoing.url == hanging.url:
            waiting.set()
            assert may_end.wait(20)
        elif seen[quick.url] == 20:
            may_end.set()
        return Sent(status=200, reason="taken")

    ends = courier(database, send).turn()
    assert waiting.is_set()
    assert ends == {"delivered": 40}


def test_a_lost_secret_file_is_said_and_nothing_is_sent_unsigned(database: Engine) -> None:
    """The message stays; a rotation mends it."""
    webhook = add(database)
    tell_about(database, ("L1", 1))
    inbox, clock = Inbox(), TestClock()
    other = Courier(lambda: database, lambda: b"t" * 32, clock.tell, inbox)
    assert other.turn() == {"pending": 1}
    assert inbox.tries == []
    rotate_webhook_secret(
        database, webhook.webhook_id, keep_old=timedelta(0), secret=b"t" * 32, by="test", now=NOW
    )
    clock.advance(60)
    assert other.turn() == {"delivered": 1}


def test_an_unknown_webhook_is_named(database: Engine) -> None:
    """Everything one can do to a webhook needs one."""
    with pytest.raises(InputError, match="there is no webhook 'wh_0'"):
        replay_messages(database, "wh_0", since=None, by="test", now=NOW)


def test_a_hostile_receiver_gets_every_message_in_order(database: Engine) -> None:
    """Over real connections that hang up, fail, redirect, rest: each verified, and arrives or is parked."""
    chance, clock, known = random.Random(3), TestClock(), list[tuple[str, int]]()
    odd: tuple[tuple[int, dict[str, str]], ...] = (
        (HANG_UP, {}),
        (500, {}),
        (302, {"Location": "/"}),
        (429, {"Retry-After": "9"}),
    )
    answers: tuple[tuple[int, dict[str, str]], ...] = ((200, {}), (200, {}), *odd)

    with running_receiver() as receiver, time_machine.travel(NOW, tick=False):
        webhook = add(database, url=receiver.url)

        def answer(got: Got) -> tuple[int, Any]:
            status, headers = chance.choice(answers)
            said = Webhook(webhook.secret).verify(got.body, dict(got.headers))
            if status == 200:
                known.append((said["subject"], said["data"]["number"]))
            return status, headers

        receiver.answer = answer
        tell_about(database, *((f"L{place % 5}", place) for place in range(20)))
        runner = Courier(lambda: database, lambda: SECRET, clock.tell, HttpSender(allow_local=True))
        # Four messages of one lead, each tried for 76 hours at most, one after the other.
        for _ in range(4 * 76 // 8 + 4):
            with time_machine.travel(clock.tell(), tick=False):
                runner.turn()
            clock.advance(3_600 * 8)
    state = listed(database)
    assert (state.delivered, state.pending, state.delivered + state.parked) == (len(known), 0, 20)
    assert len(set(known)) == len(known)
    assert all(numbers == sorted(numbers) for numbers in by_lead([f"{a}:{b}" for a, b in known]).values())


def test_the_commands_over_a_real_receiver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Add, test, deliver, rotate, list, replay, remove: the receiver verifies with the official library."""
    monkeypatch.setenv("LEADPACT_WORKSPACE", str(tmp_path))
    monkeypatch.setenv("LEADPACT_WEBHOOKS_ALLOW_LOCAL", "true")

    def run(*arguments: str) -> Any:
        return CliRunner().invoke(cli.app, ["webhooks", *arguments])

    with running_receiver() as receiver:
        added = json.loads(run("add", receiver.url, "--event", "deal.won", "--json").stdout)
        settings = Settings(workspace_root=tmp_path, database_url=None, mlflow_tracking_uri=None)
        assert run("test", added["webhook_id"]).exit_code == 0
        from serving.db.migrate import prepare_database

        database = prepare_database(settings.database)
        tell_about(database, ("L1", 1))
        new = run("rotate", added["webhook_id"]).stdout.split()[0]
        secret = read_or_create_secret(settings.workspace.secret_file)
        with time_machine.travel(NOW + timedelta(seconds=1), tick=False):
            sender = HttpSender(allow_local=True)
            Courier(lambda: database, lambda: secret, lambda: NOW, sender).turn()
            for text in (added["secret"], new):
                got = Webhook(text).verify(receiver.got[-1].body, dict(receiver.got[-1].headers))
                assert got["data"] == {"number": 1}
        assert receiver.got[0].message["type"] == "webhook.test"
        (shown,) = json.loads(run("list", "--json").stdout)
        assert (shown["delivered"], shown["url"]) == (1, receiver.url)
        assert "1 delivered" in run("list").stdout
        receiver.answer = lambda _: (500, {})
        assert run("test", added["webhook_id"]).exit_code == 1
        assert "1 messages" in run("replay", added["webhook_id"], "--since", "2026-01-01").stderr
        assert added["secret"] not in (tmp_path / "leadpact.db").read_bytes().decode("latin-1")
        assert run("remove", added["webhook_id"]).exit_code == 0
        assert json.loads(run("list", "--json").stdout) == []
        database.dispose()
