"""Report how soon SQLs are answered: the share in time, and the lags of system and seller apart."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import Engine

from features.words.reasons import Language
from serving.db.session import read_transaction
from serving.operations.active_policy import policy_in_force
from serving.periods import ReportPeriod
from serving.reports import Figure, Report, judged_at, new_figure, new_report
from serving.worked_sqls import ReportedSql, sqls_between
from sla.attainment import CaseState, answered_in_time
from sla.funnel import quantile
from sla.pledges import Cases
from sla.stages import Side
from sla.words_reports import label_of

LAGS = (("system_lag", "system_lag_minutes"), ("seller_lag", "seller_lag_minutes"))
QUANTILES = (("median", 0.5), ("p90", 0.9))
STATES = (CaseState.KEPT, CaseState.MISSED, CaseState.PENDING)


def report_response(
    database: Engine, period: ReportPeriod, *, per_person: bool, now: datetime, lang: Language
) -> Report:
    """Return how the SQLs handed over in a period were answered: by the team, by persona.

    By person only with `per_person`, which the operator switches on, not the caller.
    """
    with read_transaction(database) as session:
        sqls = sqls_between(session, period.since, period.until, now=now)
    figures = [*_section(Side.SALES.value, sqls, lang)]
    for persona in sorted({one.persona for one in sqls}):
        of_persona = [one for one in sqls if one.persona == persona]
        figures += _section(f"persona={persona or '-'}", of_persona, lang)
    for person in sorted({one.owner for one in sqls if one.owner}) if per_person else ():
        figures += _section(f"person={person}", [one for one in sqls if one.owner == person], lang)
    policy = policy_in_force(database, at=judged_at(period, now))
    return new_report("response", figures, period=period, policy=policy, now=now, lang=lang)


def _section(section: str, sqls: Sequence[ReportedSql], lang: Language) -> Iterator[Figure]:
    name = "answered_in_time"
    found = {state: [one for one in sqls if answered_in_time(one.work) is state] for state in STATES}
    counts = Cases(*(len(found[state]) for state in STATES))
    decided = (one.lead_id for state in STATES[:2] for one in found[state])
    yield new_figure(
        section, name, counts.share, "share", label=label_of(name, lang), lang=lang, lead_ids=decided
    )
    for state in STATES:
        label, leads = label_of(state.value, lang, of=name), [one.lead_id for one in found[state]]
        key = f"{name}.{state}"
        yield new_figure(section, key, len(found[state]), "sqls", label=label, lang=lang, lead_ids=leads)
    for lag, field in LAGS:
        known = {one.handover_id: minutes for one in sqls if (minutes := getattr(one, field)) is not None}
        leads = [one.lead_id for one in sqls if one.handover_id in known]
        for quantile_name, share in QUANTILES:
            key = f"{lag}_{quantile_name}"
            yield new_figure(
                section,
                key,
                quantile(known.values(), share),
                "business_minutes",
                label=label_of(key, lang),
                lang=lang,
                lead_ids=leads,
            )
