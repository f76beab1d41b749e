"""Export everything that is stored about one person, with the reasons of each score in plain words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from features.history.store import History
from features.words.reasons import Language
from serving.answers import flat_reasons, tell_once
from serving.db.session import read_transaction
from serving.db.tables import AuditRow, ScoreRow
from serving.db.tables_leads import HandoverRow
from serving.errors import UnknownLeadError
from serving.lead_marks import LeadMarks, refuse_erased
from serving.lead_rows import rows_of_lead
from serving.leads import unknown_leads
from serving.scorer import Scorer
from sla.texts import Text

PROCEDURE = Text(
    en="A model that learnt from won and lost deals estimates the chance that this lead is won. Each reason "
    "says how many points one fact about the lead adds or takes; 5 points double or halve the odds. A policy "
    "that marketing and sales have both signed says what follows; people decide what is done.",
    de="Ein Modell, das aus gewonnenen und verlorenen Abschlüssen gelernt hat, schätzt die Chance, dass "
    "dieser Lead gewonnen wird. Jeder Grund sagt, wie viele Punkte eine Tatsache über den Lead bringt oder "
    "kostet; 5 Punkte verdoppeln oder halbieren das Verhältnis. Was daraus folgt, sagt eine Vereinbarung, "
    "die Marketing und Vertrieb unterschrieben haben; was getan wird, entscheiden Menschen.",
)
OTHER_MODEL = Text(
    en="this score is of model version {version}, which is not in service any more; its feature row is below",
    de="dieser Score ist von Modellversion {version}, die nicht mehr läuft; seine Merkmale stehen unten",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedScore:
    """One score in plain words."""

    score_id: str
    as_of: datetime
    scored_at: datetime
    probability: float
    points: int
    stage: str
    model_version: str
    policy_version: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTable:
    """The rows about the person in one table, as they are stored."""

    table: str
    rows: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonExport:
    """Everything: how scores come about, each score with its reasons, and every stored row.

    `records` are those of the service's database, `imported` those of the history, `acts` what the audit log
    says of the lead and its handovers.
    """

    lead_id: str
    exported_at: datetime
    procedure: str
    scores: tuple[ExplainedScore, ...]
    records: tuple[StoredTable, ...]
    imported: tuple[StoredTable, ...]
    acts: tuple[Mapping[str, Any], ...]


def export_lead(
    database: Engine,
    lead_id: str,
    *,
    history: History,
    scorer: Scorer | None,
    marks: LeadMarks,
    lang: Language,
    now: datetime,
) -> PersonExport:
    """Return everything stored about a lead's person; raises `UnknownLeadError` and `ErasedLeadError`."""
    with read_transaction(database) as session:
        refuse_erased(session, [lead_id], marks)
        if unknown_leads(session.connection(), history, [lead_id]):
            raise UnknownLeadError(lead_id)
        tables = rows_of_lead(session, lead_id)
        return PersonExport(
            lead_id=lead_id,
            exported_at=now,
            procedure=PROCEDURE.in_language(lang),
            scores=_scores(session, lead_id, scorer, lang),
            records=tuple(StoredTable(table=name, rows=tuple(rows)) for name, rows in tables),
            imported=_imported(history, lead_id),
            acts=_acts(session, lead_id, marks),
        )


def _scores(
    session: Session, lead_id: str, scorer: Scorer | None, lang: Language
) -> tuple[ExplainedScore, ...]:
    query = select(ScoreRow).where(ScoreRow.lead_id == lead_id).order_by(ScoreRow.as_of, ScoreRow.score_id)
    return tuple(
        ExplainedScore(
            score_id=row.score_id,
            as_of=row.as_of,
            scored_at=row.scored_at,
            probability=row.probability,
            points=row.points,
            stage=row.stage,
            model_version=row.model_version,
            policy_version=row.policy_version,
            reasons=_reasons(row, scorer, lang),
        )
        for row in session.scalars(query)
    )


def _reasons(row: ScoreRow, scorer: Scorer | None, lang: Language) -> tuple[str, ...]:
    """Return why a score was what it was, from its own feature row and the model it was made with."""
    if scorer is None or scorer.model_hash != row.model_hash:
        return (OTHER_MODEL.in_language(lang).format(version=row.model_version),)
    features, feature_set = np.array(row.feature_row, dtype=np.float64), scorer.model.feature_set
    values = features.tolist()
    told = tell_once(scorer.model.reasons(features), feature_set, values, lang)
    return tuple(filter(None, flat_reasons(told, feature_set, values, lang)))


def _imported(history: History, lead_id: str) -> tuple[StoredTable, ...]:
    found = history.read_lead_rows(lead_id) if history.exists() else {}
    return tuple(StoredTable(table=name, rows=tuple(rows)) for name, rows in found.items() if rows)


def _acts(session: Session, lead_id: str, marks: LeadMarks) -> tuple[Mapping[str, Any], ...]:
    handovers = session.scalars(select(HandoverRow.handover_id).where(HandoverRow.lead_id == lead_id))
    names = [marks.name(lead_id), *(f"handover {one}" for one in handovers)]
    query = select(AuditRow).where(AuditRow.what.in_(names)).order_by(AuditRow.number)
    shown = ("at", "who", "act", "what")
    return tuple({name: getattr(row, name) for name in shown} for row in session.scalars(query))
