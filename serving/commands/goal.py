"""`leadpact goal`: how the joint goal of the policy in force stands, for both teams."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from features.errors import InputError
from serving import clock
from serving.console import JsonOption, WorkspaceOption, command_app, print_json, show
from serving.settings import read_settings
from sla.goal import Goal, GoalProgress
from sla.texts import ENGLISH, LANGUAGES

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from features.history.store import History

app = command_app()


@app.command()
def goal(
    lang: Annotated[str, typer.Option("--lang", help="Language of the sentences: en or de.")] = ENGLISH,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say how the joint goal stands: what has changed, whether it may be chance, what is still needed.

    One may look every day: the interval holds at every look.
    """
    from features.history.store import History
    from serving.errors import Missing, ServiceNotReadyError
    from serving.operations.active_policy import find_policy
    from serving.operations.report_goal import measure_cases
    from sla.words_goal import goal_sentences

    if lang not in LANGUAGES:
        raise InputError(f"--lang must be one of {', '.join(LANGUAGES)}; got {lang!r}")
    settings, now = read_settings(workspace), clock.now()
    active = find_policy(settings.database, now=now)
    if isinstance(active, Missing):
        raise ServiceNotReadyError((active,))
    policy = active.policy
    agreed = policy.goal
    if agreed is None:
        raise InputError(
            f"policy version {policy.version} has no section [goal]; add one and sign the new version"
        )
    history = History(settings.workspace.history_dir)
    _refuse_without_times(history)
    with _session(settings.database) as session:
        measured = measure_cases(session, history, agreed, zone=policy.hours.zone, now=now)
    progress = measured.progress
    if as_json:
        print_json(goal_json(agreed, progress, policy_version=policy.version))
    else:
        title, *facts = goal_sentences(agreed, progress, lang)
        show(title)
        for fact in facts:
            show(f"  {fact}")


@contextmanager
def _session(url: str) -> "Iterator[Session | None]":
    """Give a session that reads; None where there is no database yet."""
    from serving.db.migrate import find_database
    from serving.db.session import read_transaction

    database = find_database(url)
    if database is None:
        yield None
        return
    try:
        with read_transaction(database) as session:
            yield session
    finally:
        database.dispose()


def _refuse_without_times(history: "History") -> None:
    if history.exists() and history.read_table("leads").column("created_at").null_count:
        raise InputError("a goal counts cases per period, but the history has no times (created_at)")


def goal_json(goal: Goal, progress: GoalProgress, *, policy_version: int) -> dict[str, Any]:
    """Return goal and progress as one JSON document; shares from 0 to 1, days as dates."""
    days = {
        name: {"first": period.first.isoformat(), "last": period.last.isoformat()}
        for name, period in (("baseline", goal.baseline), ("period", goal.period))
    }
    return {
        "policy_version": policy_version,
        "goal": {**asdict(goal), **days},
        "progress": {**asdict(progress), "status": progress.status.value},
    }
