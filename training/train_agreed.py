"""A challenger that rests on what both teams expect, for a history with too few outcomes to learn from.

Written, logged and registered like any other model; its evidence is `rules`. What the numbers are is decided
in agreed.py, whether it may serve in gates.py.
"""

import shutil
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from features.build import Points, build_features
from features.definitions import FeatureSet
from features.tables import CanonicalTables
from features.workspace import Workspace
from training.agreed import (
    AGREED_LEADS,
    AgreedRates,
    BetaRate,
    agreed_features,
    calibration_of,
    log_odds_of,
    updated_rates,
    write_rates,
)
from training.artifact import MAX_GOLDEN_ROWS, GoldenRows, ModelCardFacts, write_model_directory
from training.data_hash import hash_tables
from training.labels import Labels, label_points
from training.mlflow_store import StorePlace
from training.model_card import left_out_text
from training.outcomes import lead_created_us
from training.points import log_odds_to_probability
from training.recipe import Progress
from training.run_facts import METRIC_PRIOR, METRIC_TEST_FROM, dataset_record
from training.run_record import FileRecord, Registered, TrainingRecord
from training.splits import SplitKind
from training.train import only_training, register

NO_PERSONA = "(no persona)"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonaRate:
    """What is expected of one persona: the agreed share, the leads whose end is known, and both together."""

    persona: str
    agreed: float
    known: float
    won: float
    probability: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreedResult:
    """Where the model landed, and its rates: no persona first, then in the order of the agreement."""

    registered: Registered
    horizon_days: int
    rates: tuple[PersonaRate, ...]
    left_out: tuple[tuple[str, int], ...] = ()


def train_on_agreement(
    workspace: Workspace,
    tables: CanonicalTables,
    agreed: AgreedRates,
    *,
    place: StorePlace,
    now: datetime,
    progress: Progress,
    parent_run_id: str | None = None,
) -> AgreedResult:
    """Write what both teams expect as a model, and register it as challenger.

    BusyError when another training runs; RegistryError when MLflow fails, with the model directory kept.
    """
    with only_training(workspace):
        with progress("Joining the agreement with what is known of leads"):
            feature_set = agreed_features(agreed, tables)
            rates = _rates(tables, agreed, feature_set)
            facts = _facts(tables, rates, now=now)
        folder = workspace.models_dir / f"unregistered-{now.astimezone(UTC):%Y%m%dT%H%M%S%fZ}"
        card = "\n".join((_card(facts, agreed, rates), *left_out_text(tables.left_out)))
        _write(folder, facts, feature_set, rates, card)
        with progress("Logging to MLflow and registering"):
            registered = register(_record(tables, facts, rates, card, folder, parent_run_id), place)
        shutil.rmtree(folder)
    return AgreedResult(
        registered=registered,
        horizon_days=facts.horizon_days,
        rates=_persona_rates(agreed, rates),
        left_out=tables.left_out,
    )


def _rates(tables: CanonicalTables, agreed: AgreedRates, feature_set: FeatureSet) -> tuple[BetaRate, ...]:
    """Join the known ends of leads; without times nobody knows what was known first: the agreement alone."""
    points, labels = _first_looks(tables)
    return updated_rates(agreed, build_features(feature_set, tables, points)[:, 0], labels)


def _first_looks(tables: CanonicalTables) -> tuple[Points, Labels]:
    """Return every lead as it was when it was created, with what became of it."""
    leads = np.arange(tables.leads.num_rows, dtype=np.int64)
    if not tables.has_times:
        leads = leads[:0]
    as_of_us = lead_created_us(tables)[leads] if len(leads) else leads
    points = Points(lead_index=leads, as_of_us=as_of_us)
    horizon_days, until_us = tables.crm.horizon_days, tables.known_until_us
    return points, label_points(tables, points, horizon_days=horizon_days, known_until_us=until_us)


def _facts(tables: CanonicalTables, rates: tuple[BetaRate, ...], *, now: datetime) -> ModelCardFacts:
    """Return what the manifest says; whatever is newer than the history can judge the model one day."""
    kind = (
        SplitKind.FORWARD
        if tables.has_times
        else SplitKind.ORDER
        if tables.has_order
        else SplitKind.STRATIFIED
    )
    test_from = 0 if tables.known_until_us is None else tables.known_until_us + 1
    return ModelCardFacts(
        horizon_days=tables.crm.horizon_days,
        created_at=now.astimezone(UTC).isoformat(timespec="seconds"),
        crm_name=tables.crm.name,
        data_hash=hash_tables(tables),
        split=kind.value,
        metrics=((METRIC_PRIOR, rates[0].mean), (METRIC_TEST_FROM, float(test_from))),
        evidence="rules",
    )


def _write(
    folder: Path, facts: ModelCardFacts, feature_set: FeatureSet, rates: tuple[BetaRate, ...], card: str
) -> None:
    codes = np.arange(min(len(rates), MAX_GOLDEN_ROWS), dtype=np.float64)
    margins = np.array([log_odds_of(rate) for rate in rates])[: len(codes)]
    write_model_directory(
        folder,
        facts=facts,
        feature_set=feature_set,
        model_text=write_rates(rates),
        calibration=calibration_of(rates),
        card_markdown=card,
        golden=GoldenRows(matrix=codes[:, np.newaxis], probability=log_odds_to_probability(margins)),
    )


def _persona_rates(agreed: AgreedRates, rates: tuple[BetaRate, ...]) -> tuple[PersonaRate, ...]:
    names = (NO_PERSONA, *(persona.name for persona in agreed.personas))
    return tuple(
        PersonaRate(
            persona=name,
            agreed=share,
            known=rate.won + rate.not_won - AGREED_LEADS,
            won=rate.won - share * AGREED_LEADS,
            probability=rate.mean,
            low=rate.interval[0],
            high=rate.interval[1],
        )
        for name, share, rate in zip(names, agreed.by_code, rates, strict=True)
    )


def _card(facts: ModelCardFacts, agreed: AgreedRates, rates: tuple[BetaRate, ...]) -> str:
    rows = "\n".join(
        f"| {each.persona} | {each.agreed:.1%} | {each.known:.0f} | {each.won:.0f} | "
        f"{each.probability:.1%} ({each.low:.1%} to {each.high:.1%}) |"
        for each in _persona_rates(agreed, rates)
    )
    return (
        f"# What both teams expect: {facts.crm_name}\n\n"
        f"Chance that a lead is won within {facts.horizon_days} days. There are too few closed deals to "
        "learn from, so scores rest on the agreement (evidence: rules); an agreed share counts as much as "
        f"{AGREED_LEADS:.0f} leads followed to the end. Nothing has judged these numbers yet.\n\n"
        "| persona | agreed | leads with a known end | won of them | score, with 90 % interval |\n"
        "|---|---|---|---|---|\n"
        f"{rows}\n"
    )


def _record(
    tables: CanonicalTables,
    facts: ModelCardFacts,
    rates: tuple[BetaRate, ...],
    card: str,
    folder: Path,
    parent_run_id: str | None,
) -> TrainingRecord:
    return TrainingRecord(
        experiment=f"leadpact/{facts.crm_name}",
        run_name=f"train {facts.created_at}",
        folder=folder,
        parameters=(
            ("evidence", facts.evidence),
            ("horizon_days", str(facts.horizon_days)),
            ("split", facts.split),
            ("data_hash", facts.data_hash),
            ("agreed_leads", str(AGREED_LEADS)),
        ),
        metrics=tuple(sorted((*facts.metrics, *_rate_metrics(rates)))),
        tags=(("leadpact.crm", facts.crm_name), ("leadpact.data_hash", facts.data_hash)),
        candidates=(),
        dataset=dataset_record(tables, facts.data_hash),
        files=(FileRecord(path="card.md", content=card.encode()),),
        parent_run_id=parent_run_id,
    )


def _rate_metrics(rates: tuple[BetaRate, ...]) -> tuple[tuple[str, float], ...]:
    return tuple(
        (f"code_{code}_{name}", value)
        for code, rate in enumerate(rates)
        for name, value in asdict(rate).items()
    )
