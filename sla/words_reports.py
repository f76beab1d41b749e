"""The words of the reports both sides read: what each figure is, how a pledge stands, and numbers with units.

Decides nothing: a figure's number comes from whoever counted it.
"""

from sla.pledges import PledgeStatus
from sla.stages import Stage
from sla.texts import Text
from sla.words_numbers import number_text, stage_name

NO_NUMBER = "–"
DECIMALS = {
    "leads": 0, "sqls": 0, "deals": 0, "attempts": 0, "cases": 0, "wins": 2, "sqls_per_week": 2,
    "days": 1, "hours": 1, "business_minutes": 1, "share": 3, "points": 2, "money": 2,
}  # fmt: skip
"""How exact each unit is said; shares are said in percent."""

UNITS: tuple[tuple[str, Text], ...] = (
    ("sqls_per_week", Text(en="{number} a week", de="{number} pro Woche")),
    ("days", Text(en="{number} days", de="{number} Tage")),
    ("hours", Text(en="{number} h", de="{number} Std.")),
    ("business_minutes", Text(en="{number} working minutes", de="{number} Minuten Arbeitszeit")),
    ("share", Text(en="{number} %", de="{number} %")),
    ("points", Text(en="{number} points", de="{number} Punkte")),
)
PLEDGE_STATUSES: tuple[tuple[PledgeStatus, Text], ...] = (
    (PledgeStatus.KEPT, Text(en="kept", de="gehalten")),
    (PledgeStatus.ON_TRACK, Text(en="on track", de="auf Kurs")),
    (PledgeStatus.BEHIND, Text(en="behind", de="im Rückstand")),
    (PledgeStatus.BROKEN, Text(en="broken", de="nicht gehalten")),
    (PledgeStatus.CANNOT_BE_TOLD_YET, Text(en="cannot be told yet", de="noch nicht zu sagen")),
)
TITLES: tuple[tuple[str, Text], ...] = (
    ("funnel", Text(en="The funnel, step by step", de="Der Trichter, Stufe für Stufe")),
    (
        "pledges",
        Text(en="What both sides promised and planned", de="Was beide Seiten versprachen und planten"),
    ),
    ("response", Text(en="How soon SQLs are answered", de="Wie schnell SQLs beantwortet werden")),
    ("workload", Text(en="How loaded sales is", de="Wie ausgelastet der Vertrieb ist")),
    ("goal", Text(en="The joint goal", de="Das gemeinsame Ziel")),
)
LABELS: tuple[tuple[str, Text], ...] = (
    ("reached", Text(en="{stage}: leads that came here", de="{stage}: Leads, die hierher kamen")),
    ("conversion", Text(en="{stage}: share of the step before", de="{stage}: Anteil der Stufe davor")),
    (
        "median_days",
        Text(en="{stage}: median days since the step before", de="{stage}: Median der Tage bis hier"),
    ),
    ("change", Text(en="{stage}: change of the share", de="{stage}: Änderung des Anteils")),
    ("mix", Text(en="{stage}: change by more or fewer of these", de="{stage}: Änderung durch die Mischung")),
    ("rate", Text(en="{stage}: change within these", de="{stage}: Änderung innerhalb dieser Gruppe")),
    ("leads", Text(en="Leads that became {stage}", de="Leads, die {stage} wurden")),
    ("without_score", Text(en="Of them never scored", de="Davon nie bewertet")),
    ("expected_wins", Text(en="Wins to expect of them", de="Davon zu erwartende Abschlüsse")),
    ("answered_in_time", Text(en="SQLs answered in time", de="Rechtzeitig beantwortete SQLs")),
    ("least_attempts", Text(en="SQLs tried often enough", de="Oft genug angesprochene SQLs")),
    ("followed_up", Text(en="SQLs that got an answer", de="Beantwortete SQLs")),
    ("kept", Text(en="{of}: kept", de="{of}: gehalten")),
    ("missed", Text(en="{of}: missed", de="{of}: versäumt")),
    ("pending", Text(en="{of}: still open", de="{of}: noch offen")),
    (
        "system_lag_median",
        Text(en="Until a seller has the SQL, median", de="Bis der Vertrieb den SQL hat, Median"),
    ),
    (
        "system_lag_p90",
        Text(en="Until a seller has the SQL, 9 of 10", de="Bis der Vertrieb den SQL hat, 9 von 10"),
    ),
    (
        "seller_lag_median",
        Text(en="Until the seller answers, median", de="Bis der Vertrieb antwortet, Median"),
    ),
    (
        "seller_lag_p90",
        Text(en="Until the seller answers, 9 of 10", de="Bis der Vertrieb antwortet, 9 von 10"),
    ),
    ("open_sqls", Text(en="SQLs that run", de="Laufende SQLs")),
    ("attempts_owed", Text(en="Attempts still owed", de="Noch geschuldete Kontaktversuche")),
    ("new_sqls_expected", Text(en="New SQLs expected in a week", de="Erwartete neue SQLs in einer Woche")),
    ("hours_now", Text(en="Hours of work now", de="Stunden Arbeit jetzt")),
    ("hours_next_week", Text(en="Hours of work until in a week", de="Stunden Arbeit bis in einer Woche")),
    ("capacity_hours", Text(en="Hours sales has until then", de="Stunden, die der Vertrieb bis dahin hat")),
    ("load", Text(en="Work against capacity", de="Arbeit gegenüber der Kapazität")),
    ("won_on_time", Text(en="Planned and won on time", de="Geplant und pünktlich gewonnen")),
    ("won_late", Text(en="Planned and won late", de="Geplant und verspätet gewonnen")),
    ("lost", Text(en="Planned and lost", de="Geplant und verloren")),
    ("overdue", Text(en="Planned, still open and overdue", de="Geplant, noch offen und überfällig")),
    (
        "still_planned",
        Text(en="Planned, still open, not due yet", de="Geplant, noch offen, noch nicht fällig"),
    ),
    ("amount", Text(en="{of}: amount", de="{of}: Betrag")),
    ("without_amount", Text(en="Deals without an amount", de="Deals ohne Betrag")),
    ("won", Text(en="Won", de="Gewonnen")),
    ("cases", Text(en="Cases", de="Fälle")),
    ("rate_of_goal", Text(en="Share", de="Anteil")),
    ("change_of_goal", Text(en="Change of the share", de="Änderung des Anteils")),
    ("change_low", Text(en="Change, at least", de="Änderung, mindestens")),
    ("change_high", Text(en="Change, at most", de="Änderung, höchstens")),
    ("target_change", Text(en="Change that is wanted", de="Gewünschte Änderung")),
    ("cases_needed", Text(en="Cases needed to tell", de="Fälle, die man dafür braucht")),
)
NOTHING_PLEDGED = Text(
    en="No pledge is in force in this period; the figures stand without a target.",
    de="In diesem Zeitraum gilt kein Versprechen; die Zahlen stehen ohne Ziel da.",
)
NO_CAPACITY = Text(
    en="No capacity is agreed: the load is not held against anything.",
    de="Es ist keine Kapazität vereinbart: Die Auslastung hat keinen Maßstab.",
)
NO_GOAL = Text(en="No joint goal is agreed.", de="Es ist kein gemeinsames Ziel vereinbart.")
LIKE_FOR_LIKE = Text(
    en="The period before is shown as it stood at the same point: its leads had as much time.",
    de="Der Zeitraum davor ist gezeigt, wie er zum gleichen Stand war: Seine Leads hatten gleich viel Zeit.",
)


def title_of(report: str, lang: str) -> str:
    """Return the title of a report."""
    return dict(TITLES)[report].in_language(lang)


def label_of(name: str, lang: str, *, stage: Stage | None = None, of: str | None = None) -> str:
    """Return what a figure is, in words; `of` names the figure that one of its parts belongs to."""
    words = dict(LABELS)[name].in_language(lang)
    return words.format(
        stage="" if stage is None else stage_name(stage, lang),
        of="" if of is None else dict(LABELS)[of].in_language(lang),
    )


def pledge_status_text(status: PledgeStatus, lang: str) -> str:
    """Return how a pledge stands, in words."""
    return dict(PLEDGE_STATUSES)[status].in_language(lang)


def figure_text(value: float | None, unit: str, lang: str) -> str:
    """Return a number with its unit as people write it; a dash where there is none."""
    if value is None:
        return NO_NUMBER
    hundredfold = 100 * value if unit in ("share", "points") else value
    decimals = DECIMALS[unit] - 2 if unit == "share" else DECIMALS[unit]
    number = number_text(round(hundredfold, decimals) + 0.0, lang)
    words = dict(UNITS).get(unit)
    return number if words is None else words.in_language(lang).format(number=number)
