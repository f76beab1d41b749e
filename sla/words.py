"""The words of the agreement, rendered from its values: one decision, or the whole policy.

Decides nothing: every number and name in a sentence is read from the decision or the policy.
"""

from sla.decision import Comparison, Decision, Rule
from sla.texts import Text
from sla.words_numbers import (
    ago_text,
    days_text,
    exact_percent,
    list_text,
    percent_against,
    span_text,
    stage_name,
    stage_predicate,
)
from sla.words_policy import render_policy

__all__ = ["decision_text", "render_policy"]

COMPARISON_WORDS: tuple[tuple[tuple[bool, bool], Text], ...] = (
    (
        (True, True),
        Text(en="reaches the {stage} threshold of {limit}", de="erreicht die {stage}-Schwelle von {limit}"),
    ),
    (
        (True, False),
        Text(
            en="is below the {stage} threshold of {limit}", de="liegt unter der {stage}-Schwelle von {limit}"
        ),
    ),
    (
        (False, True),
        Text(
            en="does not fall below the {stage} exit of {limit}",
            de="fällt nicht unter die {stage}-Ausstiegsschwelle von {limit}",
        ),
    ),
    (
        (False, False),
        Text(
            en="falls below the {stage} exit of {limit}",
            de="fällt unter die {stage}-Ausstiegsschwelle von {limit}",
        ),
    ),
)
"""(is entry, was reached) -> words. An exit that is hit exactly is not fallen below, in rule and words."""

RULE_WORDS: tuple[tuple[Rule, Text], ...] = (
    (Rule.THRESHOLD_REACHED, Text(en="{compared}", de="{compared}")),
    (Rule.THRESHOLD_HELD, Text(en="{compared}: stays {stage}", de="{compared}: bleibt {stage}")),
    (Rule.BELOW_THRESHOLD, Text(en="{compared}", de="{compared}")),
    (Rule.FELL_BACK, Text(en="{compared}: back to {stage}", de="{compared}: zurück auf {stage}")),
    (Rule.OVERRIDE, Text(en="{trigger} {ago}: {stage} at once", de="{trigger} {ago}: sofort {stage}")),
    (Rule.DISQUALIFIER, Text(en="disqualified: {trigger}", de="ausgeschlossen: {trigger}")),
    (
        Rule.LEAST_DWELL,
        Text(
            en="{compared}, but the lead stays {stage} for at least {limit} (so far {span})",
            de="{compared}, der Lead bleibt aber mindestens {limit} {stage} (bisher {span})",
        ),
    ),
    (
        Rule.RECYCLED_REST,
        Text(
            en="{compared}, but a recycled lead rests for at least {limit} (so far {span})",
            de="{compared}, ein zurückgestellter Lead ruht aber mindestens {limit} (bisher {span})",
        ),
    ),
    (
        Rule.STAGE_KEPT,
        Text(
            en="stays {stage}: only people change that, not a score",
            de="bleibt {stage}: Das ändern nur Menschen, kein Score",
        ),
    ),
    (
        Rule.REFUSED_NAIVE_NOW,
        Text(
            en="not decided: the time of the decision has no time zone",
            de="nicht entschieden: Der Zeitpunkt der Entscheidung hat keine Zeitzone",
        ),
    ),
    (
        Rule.REFUSED_FUTURE_SCORE,
        Text(
            en="not decided: the score comes from the future",
            de="nicht entschieden: Der Score stammt aus der Zukunft",
        ),
    ),
    (
        Rule.REFUSED_STALE_SCORE,
        Text(
            en="not decided: the score is more than {limit} old",
            de="nicht entschieden: Der Score ist mehr als {limit} alt",
        ),
    ),
    (
        Rule.REFUSED_NO_THRESHOLD,
        Text(
            en="not decided: the policy has no threshold for this lead",
            de="nicht entschieden: Die Vereinbarung hat keine Schwelle für diesen Lead",
        ),
    ),
)


def decision_text(decision: Decision, lang: str) -> str:
    """Return why a decision was made, in one clause: "31 % reaches the SQL threshold of 30 %"."""
    limit = "" if decision.limit_days is None else days_text(decision.limit_days, lang)
    return _template(decision.rule, lang).format(
        compared=_compared(decision, lang),
        stage=_stage(decision, lang),
        trigger="" if decision.trigger is None else decision.trigger.in_language(lang),
        ago="" if decision.age is None else ago_text(decision.age, lang),
        span="" if decision.age is None else span_text(decision.age, lang),
        limit=limit,
    )


def _template(rule: Rule, lang: str) -> str:
    return dict(RULE_WORDS)[rule].in_language(lang)


def _stage(decision: Decision, lang: str) -> str:
    return stage_predicate(decision.stage, lang)


def _compared(decision: Decision, lang: str) -> str:
    """Return the probability and the comparisons that tell why; empty without any.

    The number agrees with all comparisons made, so 29.96 % that misses SQL and is MQL is not shown as 30 %.
    """
    made = decision.comparisons
    number = percent_against(decision.probability, (one.threshold for one in made), lang)
    telling = (one for one in made if one is made[-1] or not (one.is_entry or one.reached))
    return f"{number} {list_text((_comparison(one, lang) for one in telling), lang)}"


def _comparison(comparison: Comparison, lang: str) -> str:
    words = dict(COMPARISON_WORDS)[comparison.is_entry, comparison.reached]
    return words.in_language(lang).format(
        stage=stage_name(comparison.stage, lang), limit=exact_percent(comparison.threshold, lang)
    )
