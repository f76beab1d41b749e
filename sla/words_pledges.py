"""What both sides promise per period, and how much sales can do, as the agreement says it.

Decides the words; every number in them is read from the policy.
"""

from sla.clauses_pledges import CapacityRule, MarketingPledge, PledgePeriod, Pledges, SalesPledge
from sla.policy import Policy
from sla.texts import Text
from sla.words_numbers import exact_percent, number_text, stage_name

PERIODS: tuple[tuple[PledgePeriod, Text], ...] = (
    (PledgePeriod.WEEK, Text(en="week", de="Woche")),
    (PledgePeriod.MONTH, Text(en="month", de="Monat")),
    (PledgePeriod.QUARTER, Text(en="quarter", de="Quartal")),
)
MARKETING = Text(
    en="Marketing delivers {leads} {stage} per {period}{wins}.",
    de="Das Marketing liefert {leads} {stage} pro {period}{wins}.",
)
WINS = Text(
    en=", of which {wins} wins are to be expected (the sum of their probabilities)",
    de=", von denen {wins} Abschlüsse zu erwarten sind (die Summe ihrer Wahrscheinlichkeiten)",
)
SALES = (
    (
        "answered_in_time",
        Text(
            en="Sales answers {share} of the SQLs within the agreed time.",
            de="Der Vertrieb beantwortet {share} der SQLs in der vereinbarten Zeit.",
        ),
    ),
    (
        "least_attempts",
        Text(
            en="{share} of the SQLs are tried at least as often as agreed, unless they are reached before.",
            de="{share} der SQLs werden mindestens so oft angesprochen wie vereinbart, "
            "wenn sie nicht vorher erreicht werden.",
        ),
    ),
    (
        "followed_up",
        Text(
            en="{share} of the SQLs get an answer: nobody is forgotten.",
            de="{share} der SQLs bekommen eine Antwort: Niemand wird vergessen.",
        ),
    ),
)
PRO_RATA = Text(
    en="Of a period that is not over, so much counts as its working days have passed.",
    de="Von einem laufenden Zeitraum zählt so viel, wie Arbeitstage vergangen sind.",
)
CAPACITY = Text(
    en="Sales has {week} hours a week for new leads; an SQL takes {sql} hours, and {attempt} per attempt.",
    de="Der Vertrieb hat {week} Stunden pro Woche für neue Leads; ein SQL braucht {sql} Stunden, "
    "dazu {attempt} je Kontaktversuch.",
)

COUNT_LABELS = (
    ("marketing", "leads", Text(en="Marketing delivers leads", de="Marketing liefert Leads")),
    ("marketing", "expected_wins", Text(en="Wins to expect of them", de="Davon zu erwartende Abschlüsse")),
)
SHARE_LABELS = (
    ("sales", "answered_in_time", Text(en="SQLs answered in time", de="SQLs rechtzeitig beantwortet")),
    ("sales", "least_attempts", Text(en="SQLs tried often enough", de="SQLs oft genug angesprochen")),
    ("sales", "followed_up", Text(en="SQLs answered at all", de="SQLs überhaupt beantwortet")),
)
CAPACITY_LABELS = (
    ("hours_per_week", Text(en="Hours of sales per week", de="Stunden des Vertriebs pro Woche")),
    ("hours_per_sql", Text(en="Hours per SQL", de="Stunden je SQL")),
    ("hours_per_attempt", Text(en="Hours per attempt", de="Stunden je Kontaktversuch")),
)
PLEDGED_PER = Text(en="Pledged per", de="Versprochen pro")
PLEDGED_STAGE = Text(en="Stage of marketing's leads", de="Stufe der Leads des Marketings")


def period_name(period: PledgePeriod, lang: str) -> str:
    """Return the name of a pledge's period."""
    return dict(PERIODS)[period].in_language(lang)


def pledge_lines(policy: Policy, lang: str) -> list[str]:
    """Return what both sides promise, a sentence each."""
    pledges = policy.pledges
    if pledges is None:
        return []
    return [_marketing(pledges, lang), *_sales(pledges.sales, lang), PRO_RATA.in_language(lang)]


def capacity_lines(policy: Policy, lang: str) -> list[str]:
    """Return how much work sales can do."""
    return [] if policy.capacity is None else [_capacity(policy.capacity, lang)]


def _marketing(pledges: Pledges, lang: str) -> str:
    pledge: MarketingPledge = pledges.marketing
    wins = ""
    if pledge.expected_wins is not None:
        wins = WINS.in_language(lang).format(wins=number_text(pledge.expected_wins, lang))
    return MARKETING.in_language(lang).format(
        leads=number_text(pledge.leads, lang),
        stage=stage_name(pledge.stage, lang),
        period=period_name(pledges.period, lang),
        wins=wins,
    )


def _sales(pledge: SalesPledge, lang: str) -> list[str]:
    return [
        words.in_language(lang).format(share=exact_percent(getattr(pledge, name), lang))
        for name, words in SALES
    ]


def _capacity(rule: CapacityRule, lang: str) -> str:
    return CAPACITY.in_language(lang).format(
        week=number_text(rule.hours_per_week, lang),
        sql=number_text(rule.hours_per_sql, lang),
        attempt=number_text(rule.hours_per_attempt, lang),
    )
