"""Fifty signatures at once: one activation, one signature per side, by two people, on both databases."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial

from sqlalchemy import Engine

from features.errors import InputError
from serving.operations.active_policy import ActivePolicy, active_policy
from serving.operations.comment_policy import comment_policy
from serving.operations.draft_policy import draft_policy
from serving.operations.list_audit import list_audit
from serving.operations.list_policies import list_policies
from serving.operations.propose_policy import propose_policy
from serving.operations.sign_policy import sign_policy
from serving.operations.verify_audit import verify_audit
from sla.errors import PolicyProblems
from sla.stages import Side
from tests.builders_serving import MARKETING, NOW, first_policy, policy_version

PEOPLE = ("Maria Sommer", "Jonas Weber", "Eva Klein", "Ali Kaya", "Nia Roth")
SCRIPT = """
import json, sys, threading
from datetime import datetime
from serving.db.session import open_database
from serving.errors import PolicyRefusedError
from serving.operations.sign_policy import sign_policy
from sla.stages import Side
database, now, ends = open_database(sys.argv[1]), datetime.fromisoformat(sys.argv[2]), []
def sign(side, person):
    try:
        ends.append(sign_policy(database, version=1, side=side, person=person, now=now).value)
    except PolicyRefusedError:
        ends.append("refused")
tasks = [threading.Thread(target=sign, args=(Side(side), person)) for side, person in json.loads(sys.argv[3])]
[task.start() for task in tasks]; [task.join() for task in tasks]
print(json.dumps(ends))
"""


def at_once(tasks: list[Callable[[], object]]) -> list[str]:
    """Run all tasks in threads of their own; return how each ended."""
    ends: list[str] = []
    start = threading.Barrier(len(tasks))

    def run(task: Callable[[], object]) -> None:
        start.wait()
        try:
            task()
            ends.append("done")
        except (InputError, PolicyProblems) as error:
            ends.append(type(error).__name__)

    threads = [threading.Thread(target=run, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ends


def activations(database: Engine) -> int:
    """Return how often a policy came to be agreed, by the audit log."""
    return sum(act.act == "policy.agreed" for act in list_audit(database, limit=1_000))


def test_fifty_signatures_in_processes_give_one_activation(database: Engine, database_url: str) -> None:
    """Two processes, 25 threads each, five people who try both sides: one per side, by two people."""
    propose_policy(database, first_policy(), by=MARKETING, now=NOW)
    tries = [(side.value, person) for person in PEOPLE for side in Side] * 3
    started = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT, database_url, NOW.isoformat(), json.dumps(tries[::turn][:25])],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for turn in (1, -1)
    ]
    outputs = [process.communicate() for process in started]
    assert [process.returncode for process in started] == [0, 0], outputs
    assert sum(len(json.loads(out)) for out, _ in outputs) == 50
    found = active_policy(database, now=NOW)
    assert isinstance(found, ActivePolicy)
    (listed,) = list_policies(database, now=NOW)
    assert listed.signed_marketing != listed.signed_sales
    assert "" not in (listed.signed_marketing, listed.signed_sales)
    assert activations(database) == 1
    assert verify_audit(database).is_whole


def test_an_edit_against_signatures_never_leaves_a_wrong_one(database: Engine) -> None:
    """Whoever is first: what is in force was signed by both under its very text."""
    propose_policy(database, first_policy(), by=MARKETING, now=NOW, side=Side.MARKETING)
    edited = first_policy().replace("enter = 0.12", "enter = 0.13")
    at_once(
        [
            partial(draft_policy, database, edited, by=MARKETING, side=Side.MARKETING, now=NOW),
            *[
                partial(sign_policy, database, version=1, side=side, person=person, now=NOW)
                for person in PEOPLE
                for side in Side
            ],
        ]
    )
    found = active_policy(database, now=NOW)
    (listed,) = list_policies(database, now=NOW)
    assert isinstance(found, ActivePolicy) is (listed.state == "active")
    assert verify_audit(database).is_whole


def test_one_date_belongs_to_one_policy(database: Engine) -> None:
    """Ten versions proposed at once for one day: one gets it."""
    tasks = [
        partial(propose_policy, database, policy_version(version, "2027-03-01"), by=MARKETING, now=NOW)
        for version in range(1, 11)
    ]
    assert sorted(at_once(list(tasks))) == ["PolicyProblems"] * 9 + ["done"]
    assert len(list_policies(database, now=NOW)) == 1


def test_one_person_acts_for_one_side(database: Engine) -> None:
    """Twenty acts of one person for both sides at once: only one side's are done."""
    propose_policy(database, first_policy(), by=MARKETING, now=NOW)
    tasks = [
        partial(comment_policy, database, 1, by="Eva Klein", side=side, text="Hm.", now=NOW)
        for side in list(Side) * 10
    ]
    assert sorted(at_once(list(tasks))) == ["PolicyRefusedError"] * 10 + ["done"] * 10
    signatures = [
        partial(sign_policy, database, version=1, side=side, person="eva  KLEIN", now=NOW) for side in Side
    ]
    assert sorted(at_once(list(signatures))) == ["PolicyRefusedError", "done"]
