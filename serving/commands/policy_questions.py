"""`leadpact policy diff` and `what-if`: what another agreement would change, from past leads out of time."""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from features.errors import InputError
from serving.commands.policy_acts import LangOption, open_policies, read_bytes
from serving.console import JsonOption, WorkspaceOption, print_json, say, show
from serving.settings import Settings, read_settings
from sla.stages import Stage
from sla.texts import LANGUAGES, Text
from sla.words_numbers import stage_name

if TYPE_CHECKING:
    from serving.champion import Champion
    from serving.operations.ask_what_if import Past, StageAnswer, WhatIfAnswer
    from serving.operations.compare_stages import StageComparison
    from sla.policy import Policy
    from sla.what_if import ThresholdPair

ACTIVE = "active"
NO_CHANGE = Text(en="nothing changes", de="es ändert sich nichts")
MOVES = Text(
    en="{changing} of {leads} open leads of the last {days} days would change stage",
    de="{changing} von {leads} offenen Leads der letzten {days} Tage würden die Stufe wechseln",
)
MOVE = Text(en="  from {before} to {after}: {leads}", de="  von {before} auf {after}: {leads}")
TRAINED_ON = Text(
    en="  {trained} more were created while the champion was still taught; they are left out",
    de="  {trained} weitere entstanden, als der Champion noch lernte; sie zählen nicht mit",
)
NOT_COUNTED = Text(en="stages are not compared: {reason}", de="Stufen werden nicht verglichen: {reason}")

T = TypeVar("T")


def diff(
    before: Annotated[str, typer.Argument(help="A file, a version, or the word active.", metavar="A")],
    after: Annotated[
        str | None, typer.Argument(help="The same; without it, A is held against active.", metavar="B")
    ] = None,
    lang: LangOption = "en",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what changes from A to B, in words and in leads."""
    from serving.public_holidays import on_one_footing
    from sla.policy_diff import compare_policies

    refuse_language(lang)
    settings = read_settings(workspace)
    first, second = (ACTIVE, before) if after is None else (before, after)
    old, new = (_find_policy(settings, name) for name in (first, second))
    changes = compare_policies(*on_one_footing(old, new))
    stages, reason = _compare_stages(settings, old, new)
    if as_json:
        told = [
            {"kind": one.kind, "path": one.path, "en": one.text("en"), "de": one.text("de")}
            for one in changes
        ]
        compared = None if stages is None else {**asdict(stages), "changing": stages.changing}
        print_json({"changes": told, "stages": compared, "not_compared": reason})
        return
    for line in [one.text(lang) for one in changes] or [NO_CHANGE.in_language(lang)]:
        show(line)
    for line in _stage_lines(stages, reason, lang):
        show(line)


def ask(
    mql: Annotated[float | None, typer.Option("--mql", help="MQL threshold [default: the policy's].")] = None,
    sql: Annotated[float | None, typer.Option("--sql", help="SQL threshold [default: the policy's].")] = None,
    hours_per_sql: Annotated[float | None, typer.Option(help="Seller hours one SQL takes [agreed].")] = None,
    capacity_hours: Annotated[float | None, typer.Option(help="Seller hours per week [agreed].")] = None,
    least_sqls: Annotated[float | None, typer.Option(help="SQLs per week marketing owes [agreed].")] = None,
    value_per_win: Annotated[float | None, typer.Option(help="What a win is worth.")] = None,
    cost_per_hour: Annotated[float | None, typer.Option(help="What a seller hour costs.")] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what other thresholds would have done to past leads.

    Only leads count that the champion was not taught with and whose horizon is over. What is left out is
    what the policy agrees: thresholds, capacity, pledges.
    """
    from serving.operations.ask_what_if import ask_what_if, general_pair
    from sla.what_if import agreed_effort

    settings = read_settings(workspace)
    policy = _policy_if_any(settings)
    current = None if policy is None else general_pair(policy)
    asked = {
        "hours_per_sql": hours_per_sql,
        "capacity_hours": capacity_hours,
        "least_sqls": least_sqls,
        "value_per_win": value_per_win,
        "cost_per_hour": cost_per_hour,
    }
    given = {name: value for name, value in asked.items() if value is not None}
    effort = _checked(lambda: agreed_effort(policy, given))
    pair = _chosen_pair(current, mql, sql)
    answer = ask_what_if(_read_past(settings), pair, effort=effort, current=current)
    if as_json:
        print_json(asdict(answer))
        return
    for line in _answer_lines(answer):
        show(line)


def policy_in_force(settings: Settings) -> "Policy":
    """Return the policy in force; without one, the draft in the workspace."""
    from serving.clock import now
    from serving.operations.active_policy import ActivePolicy, find_policy
    from sla.policy_file import read_policy

    state = find_policy(settings.database, now=now())
    if isinstance(state, ActivePolicy):
        return state.policy
    draft = settings.workspace.policy_file
    if not draft.is_file():
        raise InputError(f"{state.text()}; and there is no draft {draft}")
    say(f"{state.reason}; showing the draft {draft}")
    return read_policy(read_bytes(draft), source=str(draft))


def refuse_language(lang: str) -> None:
    """Raise `InputError` for a language the agreement has no words in."""
    if lang not in LANGUAGES:
        raise InputError(f"--lang must be {' or '.join(LANGUAGES)}; got {lang!r}")


def _find_policy(settings: Settings, name: str) -> "Policy":
    """Return the policy a word means: a version, the one in force, or a file."""
    from serving.operations.active_policy import read_stored
    from serving.operations.read_policy_history import read_policy_history
    from sla.policy_file import read_policy

    if name == ACTIVE:
        return policy_in_force(settings)
    if not name.isdecimal():
        return read_policy(read_bytes(Path(name)), source=name)
    with open_policies(settings, must_exist=True, missing=f"there is no policy version {name}") as database:
        text, _ = read_policy_history(database, int(name))
    return read_stored(text, int(name))


def _compare_stages(
    settings: Settings, old: "Policy", new: "Policy"
) -> "tuple[StageComparison | None, str | None]":
    """Return the comparison, or why there is none; the words of a diff need neither model nor history."""
    from features.errors import LeadPactError
    from features.history.store import History
    from serving.operations.compare_stages import compare_stages

    try:
        champion = _champion(settings)
        tables = History(settings.workspace.history_dir).read()
        return compare_stages(champion, tables, old, new), None
    except LeadPactError as error:
        return None, str(error)


def _champion(settings: Settings) -> "Champion":
    from serving.champion import NO_CHAMPION, load_champion, read_pointer
    from serving.errors import ServiceNotReadyError

    pointer = read_pointer(settings.workspace.models_dir)
    if pointer is None:
        raise ServiceNotReadyError((NO_CHAMPION,))
    return load_champion(settings.workspace.models_dir, pointer)


def _read_past(settings: Settings) -> "Past":
    from features.history.store import History
    from serving.operations.ask_what_if import prepare_past
    from serving.past_scores import matured_leads

    champion = _champion(settings)
    return prepare_past(matured_leads(champion, History(settings.workspace.history_dir).read()))


def _policy_if_any(settings: Settings) -> "Policy | None":
    """Return the policy in force, None where there is none yet."""
    from serving.clock import now
    from serving.operations.active_policy import ActivePolicy, find_policy

    state = find_policy(settings.database, now=now())
    return state.policy if isinstance(state, ActivePolicy) else None


def _chosen_pair(current: "ThresholdPair | None", mql: float | None, sql: float | None) -> "ThresholdPair":
    from sla.what_if import ThresholdPair

    if current is None and (mql is None or sql is None):
        raise InputError("there is no policy in force to take thresholds from: give --mql and --sql")
    chosen_mql = current.mql if mql is None and current is not None else mql
    chosen_sql = current.sql if sql is None and current is not None else sql
    return _checked(lambda: ThresholdPair(mql=chosen_mql or 0.0, sql=chosen_sql or 0.0))


def _checked(make: Callable[[], T]) -> T:
    """Build a value of the agreement; a broken rule is wrong input."""
    from sla.errors import BrokenRulesError

    try:
        return make()
    except BrokenRulesError as error:
        raise InputError(str(error)) from error


def _stage_lines(stages: "StageComparison | None", reason: str | None, lang: str) -> Iterator[str]:
    if stages is None:
        yield NOT_COUNTED.in_language(lang).format(reason=reason)
        return
    yield MOVES.in_language(lang).format(changing=stages.changing, leads=stages.leads, days=stages.days)
    for move in stages.moves:
        before, after = (stage_name(Stage(stage), lang) for stage in (move.before, move.after))
        yield MOVE.in_language(lang).format(before=before, after=after, leads=move.leads)
    if stages.trained_on:
        yield TRAINED_ON.in_language(lang).format(trained=stages.trained_on)


def _answer_lines(answer: "WhatIfAnswer") -> Iterator[str]:
    yield (
        f"{answer.leads:,} leads created {answer.period_from.date()} to {answer.period_until.date()}, "
        f"{answer.wins:,} won; left out: {answer.left_out_trained_on:,} the champion was taught with, "
        f"{answer.left_out_still_open:,} whose horizon is not over"
    )
    yield from (_stage_line(name, stage) for name, stage in (("MQL", answer.mql), ("SQL", answer.sql)))
    capacity = "" if answer.capacity_share is None else f", {answer.capacity_share:.0%} of the capacity"
    yield f"sellers: {answer.seller_hours_per_week:.1f} hours per week{capacity}"
    if answer.band_lowest is not None or answer.band_highest is not None:
        yield f"SQL thresholds that keep both promises: {_band(answer)}"
    if answer.suggested_mql is not None and answer.suggested_sql is not None:
        yield f"suggested: MQL {answer.suggested_mql:.2%}, SQL {answer.suggested_sql:.2%}"
    for move in answer.moves:
        yield f"{move.before} to {move.after}: {move.leads:,} leads"


def _band(answer: "WhatIfAnswer") -> str:
    if not answer.band_feasible:
        return "none"
    low = "any" if answer.band_lowest is None else f"{answer.band_lowest:.2%}"
    return f"{low} to {'any' if answer.band_highest is None else f'{answer.band_highest:.2%}'}"


def _stage_line(name: str, stage: "StageAnswer") -> str:
    kept = _interval(stage.kept_share, stage.kept_low, stage.kept_high)
    precision = _interval(stage.precision, stage.precision_low, stage.precision_high)
    return (
        f"{name} from {stage.threshold:.2%}: {stage.leads_per_week:.1f} leads per week, of which won: "
        f"{precision}; {stage.wins_kept:,} wins kept: {kept}; {stage.wins_missed:,} missed"
    )


def _interval(share: float | None, low: float | None, high: float | None) -> str:
    if share is None or low is None or high is None:
        return "not applicable"
    return f"{share:.1%} (95 % interval {low:.1%} to {high:.1%})"
