"""From challenger to champion: fetch, judge, move the alias, point the workspace at it, in that order.

The pointer is what serves, the alias is what the registry says. When the second fails after the first, the
error says so and `leadpact model pull` repairs it. What is good enough is decided in gates.py.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from features.build import Points, build_features
from features.errors import InputError
from features.personas import PersonaRules
from features.tables import CanonicalTables
from features.workspace import Workspace
from training.artifact import LoadedModel, load_model, read_manifest
from training.champion import Champion, write_champion
from training.compare import Comparison, Contestant, compare, incomparable
from training.errors import StalePointerError
from training.gates import AgreedFacts, GateFacts, Verdict, judge, judge_agreed
from training.leakage import leaks_of_features
from training.mlflow_store import StorePlace
from training.registry import (
    drop_alias,
    find_version,
    move_alias,
    predict_through_mlflow,
    pull,
    tag_version,
)
from training.run_record import CHALLENGER, CHAMPION, Pairs
from training.stage_moves import AgreedStages, StageMoves, count_moves

ROUND_TRIP_ROWS = 200
NO_MODEL = "there is no {what} in the registry; `leadpact train` makes one"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Promotion:
    """What `promote` did: the verdict of the gates, and whether the version is champion now."""

    version: str
    verdict: Verdict
    promoted: bool
    forced: bool
    champion: Champion | None
    comparison: Comparison


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionNote:
    """What is about to happen, for whoever keeps a record: nothing has moved yet.

    ``previous`` is the version that is champion now; ``why_forced`` is None when the gates passed.
    """

    version: str
    previous: str | None
    verdict: Verdict
    why_forced: str | None
    at: datetime


def compare_registered(
    workspace: Workspace,
    tables: CanonicalTables,
    *,
    place: StorePlace,
    seed: int,
    personas: tuple[PersonaRules, ...] = (),
) -> Comparison:
    """Judge champion and challenger, whichever there are; InputError when there is neither."""
    challenger, champion = (_contestant(workspace, alias, place) for alias in (CHALLENGER, CHAMPION))
    if challenger is None and champion is None:
        raise InputError(NO_MODEL.format(what="challenger and no champion"))
    if challenger == champion:
        challenger = None
    return compare(tables, challenger=challenger, champion=champion, seed=seed, personas=personas)


def promote(
    workspace: Workspace,
    tables: CanonicalTables,
    *,
    place: StorePlace,
    version: str | None,
    why_forced: str | None,
    seed: int,
    now: datetime,
    stages: AgreedStages | None = None,
    personas: tuple[PersonaRules, ...] = (),
    before_move: Callable[[PromotionNote], None] | None = None,
) -> Promotion:
    """Run the gates over a version (the challenger by default) and make it champion when they pass.

    Parameters
    ----------
    why_forced : the reason for promoting against the gates; it is recorded with the version.
    stages : what the policy in force makes of a probability; None when no policy is in force.
    personas : those agreed today; each is a slice.
    before_move : keeps a record of a promotion that is about to happen; when it raises, nothing moves.

    Returns with ``promoted`` False when a gate refuses; the verdict is recorded with the version either way.
    InputError without such a version; RegistryError when MLflow fails, with nothing moved; StalePointerError
    when the alias moved and the pointer did not.
    """
    candidate = _candidate(workspace, version, place)
    present = _contestant(workspace, CHAMPION, place)
    champion = None if present == candidate else present
    if read_manifest(candidate.folder).evidence == "rules":
        comparison, verdict = _judge_agreed(tables, candidate, champion, place=place)
    else:
        why_not = _incomparable(candidate, champion)
        opponent = champion if why_not is None else None
        comparison = compare(tables, challenger=candidate, champion=opponent, seed=seed, personas=personas)
        verdict = judge(replace(_facts(tables, comparison, place, stages), incomparable=why_not))
    forced = not verdict.passed and why_forced is not None
    promoted = verdict.passed or forced
    served = Champion(version=candidate.version, folder=candidate.folder)
    note = PromotionNote(
        version=candidate.version,
        previous=None if present is None else present.version,
        verdict=verdict,
        why_forced=why_forced if forced else None,
        at=now,
    )
    tag_version(candidate.version, _verdict_tags(verdict), place=place)
    if promoted:
        if before_move is not None:
            before_move(note)
        _make_champion(workspace, served, _promotion_tags(note), place)
    return Promotion(
        version=candidate.version,
        verdict=verdict,
        promoted=promoted,
        forced=forced,
        champion=served if promoted else None,
        comparison=comparison,
    )


def pull_champion(workspace: Workspace, *, place: StorePlace) -> Champion:
    """Fetch what the registry calls champion and point the workspace at it; repairs a stale pointer."""
    version = find_version(CHAMPION, place=place)
    if version is None:
        raise InputError("there is no champion in the registry; `leadpact promote` makes one")
    champion = Champion(version=version, folder=pull(version, workspace.models_dir, place=place))
    write_champion(workspace.models_dir, champion)
    return champion


def _candidate(workspace: Workspace, version: str | None, place: StorePlace) -> Contestant:
    if version is not None:
        return Contestant(version=version, folder=pull(version, workspace.models_dir, place=place))
    challenger = _contestant(workspace, CHALLENGER, place)
    if challenger is None:
        raise InputError(NO_MODEL.format(what="challenger"))
    return challenger


def _contestant(workspace: Workspace, alias: str, place: StorePlace) -> Contestant | None:
    version = find_version(alias, place=place)
    if version is None:
        return None
    return Contestant(version=version, folder=pull(version, workspace.models_dir, place=place))


def _incomparable(candidate: Contestant, champion: Contestant | None) -> str | None:
    if champion is None:
        return None
    return incomparable(read_manifest(candidate.folder), read_manifest(champion.folder))


def _facts(
    tables: CanonicalTables, comparison: Comparison, place: StorePlace, stages: AgreedStages | None
) -> GateFacts:
    challenger = comparison.challenger
    if challenger is None:
        raise InputError(NO_MODEL.format(what="challenger"))
    return GateFacts(
        challenger=challenger.evaluation,
        against_champion=comparison.difference,
        round_trip_difference=_round_trip_difference(
            tables, challenger.version, challenger.model, comparison.points, place
        ),
        leakage=leaks_of_features(challenger.model.feature_set, tables),
        champion=None if comparison.champion is None else comparison.champion.evaluation,
        stage_moves=_stage_moves(comparison, stages),
        has_policy=stages is not None,
    )


def _judge_agreed(
    tables: CanonicalTables, candidate: Contestant, champion: Contestant | None, *, place: StorePlace
) -> tuple[Comparison, Verdict]:
    """Judge a model that rests on the agreement: there is nothing to compare, only to check."""
    leads = np.arange(min(tables.leads.num_rows, ROUND_TRIP_ROWS), dtype=np.int64)
    as_of_us = np.full(len(leads), tables.known_until_us or 0, dtype=np.int64)
    points = Points(lead_index=leads, as_of_us=as_of_us)
    model = load_model(candidate.folder)
    facts = AgreedFacts(
        champion_evidence=None if champion is None else read_manifest(champion.folder).evidence,
        round_trip_difference=_round_trip_difference(tables, candidate.version, model, points, place),
        leakage=leaks_of_features(model.feature_set, tables),
    )
    nothing = Comparison(challenger=None, champion=None, difference=None, points=points)
    return nothing, judge_agreed(facts)


def _stage_moves(comparison: Comparison, stages: AgreedStages | None) -> StageMoves | None:
    challenger, champion = comparison.challenger, comparison.champion
    if stages is None or challenger is None or champion is None:
        return None
    return count_moves(comparison.points, champion.probability, challenger.probability, stages)


def _round_trip_difference(
    tables: CanonicalTables, version: str, model: LoadedModel, points: Points, place: StorePlace
) -> float:
    """Return the largest difference between the pulled directory and MLflow's own loading of the version."""
    some = Points(lead_index=points.lead_index[:ROUND_TRIP_ROWS], as_of_us=points.as_of_us[:ROUND_TRIP_ROWS])
    feature_set = model.feature_set
    matrix = build_features(feature_set, tables, some)
    through = predict_through_mlflow(version, feature_set, matrix, place=place)
    return float(np.abs(model.predict(matrix).probability - through).max())


def _verdict_tags(verdict: Verdict) -> Pairs:
    refused = ", ".join(reason.code for reason in verdict.reasons if not reason.passed)
    reasons = ((f"leadpact.gate.{each.code}", f"{each.answer}: {each.text}") for each in verdict.reasons)
    return (("leadpact.gates", "passed" if verdict.passed else f"refused: {refused}"), *reasons)


def _promotion_tags(note: PromotionNote) -> Pairs:
    at = (("leadpact.promoted_at", note.at.astimezone(UTC).isoformat(timespec="seconds")),)
    return at if note.why_forced is None else (*at, ("leadpact.forced_why", note.why_forced))


def _make_champion(workspace: Workspace, champion: Champion, tags: Pairs, place: StorePlace) -> None:
    move_alias(CHAMPION, champion.version, place=place, tags=tags)
    try:
        write_champion(workspace.models_dir, champion)
    except OSError as error:
        raise StalePointerError(
            f"version {champion.version} is champion in the registry, but {workspace.models_dir} still "
            f"points at the old one ({error}); `leadpact model pull` repairs it"
        ) from error
    if find_version(CHALLENGER, place=place) == champion.version:
        drop_alias(CHALLENGER, place=place)
