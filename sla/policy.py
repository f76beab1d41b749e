"""Contract 3: a scored lead and the signed policy give a decision, a value with its reason.

`decide` is pure and total: it reads no clock, changes nothing and answers for every lead and every policy
that can be built. The order is: refuse what cannot be trusted, keep what only people change, disqualifiers,
overrides, thresholds; what none of them decides is refused. Words are rendered in `sla.words`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from sla.business_time import OpeningHours, add_business_time
from sla.clauses import (
    AttemptRule,
    Content,
    Disqualifier,
    Override,
    ResponseTime,
    Threshold,
    known_instant_only,
    whole_number_only,
)
from sla.clauses_feedback import FeedbackRule
from sla.clauses_pledges import CapacityRule, Pledges
from sla.clauses_work import ClockRule, RecyclingRule, RescoringRule, RoutingRule
from sla.decision import REFUSALS, Comparison, Decision, Rule
from sla.errors import BrokenRule, filled_only, refuse_broken
from sla.goal import Goal
from sla.personas import Persona, PersonaMatch, Scalar, expected_share_only, match_persona, meets
from sla.stages import FINAL_STAGES, SCORED_STAGES, Side, Stage, owner_of, rank
from sla.texts import Text

LONGEST_NAME = 200
MOST_WEEKS_TO_RESPOND = 52
"""A response time must fit into a year of opening hours; else no deadline would be near enough to mean it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyHead:
    """What is agreed once for the whole policy.

    `valid_from` None means from the second signature; the policy is never in force before that.
    `least_dwell_days` holds a lead in its stage before a lower score may take it down, `score_valid_days` is
    the age at which a score is too old to act on; both count 24-hour days. `expected_conversion` is the share
    of leads without an expectation of their own persona that both teams expect to be won within the horizon:
    what a score rests on before there are deals to learn from. `most_moved` is the share of leads that a new
    model may put into another stage without asking both teams.
    """

    version: int
    name: str
    valid_from: datetime | None
    least_dwell_days: int
    score_valid_days: int
    expected_conversion: float | None = None
    most_moved: float | None = None

    def __post_init__(self) -> None:
        refuse_broken("policy", self._broken_rules())
        # In UTC two equal instants are equal values, also in the hour a clock change repeats.
        if self.valid_from is not None:
            object.__setattr__(self, "valid_from", self.valid_from.astimezone(UTC))

    def _broken_rules(self) -> Iterator[BrokenRule]:
        yield from whole_number_only("version", self.version, 1, 1_000_000)
        yield from filled_only(self, ("name",))
        if len(self.name) > LONGEST_NAME:
            yield BrokenRule("name", f"must have at most {LONGEST_NAME} characters", self.name)
        if self.valid_from is not None:
            yield from known_instant_only("valid_from", self.valid_from)
        yield from whole_number_only("least_dwell_days", self.least_dwell_days, 0, 365)
        yield from whole_number_only("score_valid_days", self.score_valid_days, 1, 365)
        yield from expected_share_only(self.expected_conversion)
        if self.most_moved is not None and not 0.0 <= self.most_moved <= 1.0:
            yield BrokenRule("most_moved", "must be a share from 0 to 1", self.most_moved)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy(PolicyHead):
    """The agreement: its head and its clauses. Each part checks itself when it is built.

    How the parts fit together is checked by `sla.policy_checks`; `decide` answers even where they do not.
    """

    personas: tuple[Persona, ...]
    thresholds: tuple[Threshold, ...]
    overrides: tuple[Override, ...]
    disqualifiers: tuple[Disqualifier, ...]
    responses: tuple[ResponseTime, ...]
    attempts: AttemptRule
    hours: OpeningHours
    content: tuple[Content, ...]
    hours_marketing: OpeningHours | None = None
    hours_sales: OpeningHours | None = None
    clocks: ClockRule | None = None
    routing: RoutingRule | None = None
    recycling: RecyclingRule | None = None
    feedback: FeedbackRule | None = None
    rescoring: RescoringRule | None = None
    goal: Goal | None = None
    pledges: Pledges | None = None
    capacity: CapacityRule | None = None

    def __post_init__(self) -> None:
        PolicyHead.__post_init__(self)
        too_long = tuple(
            one.within
            for one in self.responses
            if not fits_hours(one.within, self.hours_of(owner_of(one.stage)))
        )
        if too_long:
            rule = BrokenRule("responses", "must fit into a year of opening hours", too_long)
            refuse_broken("policy", (rule,))

    @property
    def cool_off_days(self) -> int:
        """Days a recycled lead rests before a score may lift it; the least dwell unless agreed otherwise."""
        return self.least_dwell_days if self.recycling is None else self.recycling.cool_off_days

    def hours_of(self, side: Side | None) -> OpeningHours:
        """Return the hours of a side: its own where agreed, else those of both."""
        return side_hours(self, side) or self.hours

    def threshold_for(self, stage: Stage, persona: str | None) -> Threshold | None:
        """Return the threshold agreed for this persona, else the general one, else None."""
        fitting = [one for one in self.thresholds if one.stage is stage and one.persona in (None, persona)]
        return min(fitting, key=_general_last, default=None)

    def response_for(self, stage: Stage, persona: str | None) -> ResponseTime | None:
        """Return the response time agreed for this persona, else the general one, else None."""
        fitting = [one for one in self.responses if one.stage is stage and one.persona in (None, persona)]
        return min(fitting, key=_general_last, default=None)

    def content_for(self, stage: Stage, persona: str | None) -> tuple[str, ...]:
        """Return the titles for a stage: those for this persona first, then those for everyone."""
        fitting = [one for one in self.content if one.stage is stage and one.persona in (None, persona)]
        return tuple(one.title for one in sorted(fitting, key=_general_last))


class HasHours(Protocol):
    """Whatever has hours for both sides and perhaps for one of them."""

    @property
    def hours(self) -> OpeningHours | None:
        """Hours of both sides."""

    @property
    def hours_marketing(self) -> OpeningHours | None:
        """Hours of marketing, where they differ."""

    @property
    def hours_sales(self) -> OpeningHours | None:
        """Hours of sales, where they differ."""


def side_hours(thing: HasHours, side: Side | None) -> OpeningHours | None:
    """Return a side's own hours, else those of both; None when there are none."""
    own = {Side.MARKETING: thing.hours_marketing, Side.SALES: thing.hours_sales, None: None}[side]
    return own or thing.hours


def fits_hours(within: timedelta, hours: OpeningHours) -> bool:
    """Say whether a time limit fits into a year of the team's opening hours."""
    return within <= MOST_WEEKS_TO_RESPOND * timedelta(minutes=hours.minutes_per_week)


def _general_last(clause: Threshold | ResponseTime | Content) -> bool:
    return clause.persona is None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredLead:
    """One lead's score at one instant, with what the rules of the policy look at.

    `probability` is calibrated (0–1); `activities` are (kind, occurred_at); every time carries a zone.
    """

    lead_id: str
    probability: float
    scored_at: datetime
    attributes: tuple[tuple[str, Scalar | None], ...] = ()
    activities: tuple[tuple[str, datetime], ...] = ()
    current_stage: Stage | None = None
    stage_since: datetime | None = None

    def __post_init__(self) -> None:
        refuse_broken("lead", self._broken_rules())

    def _broken_rules(self) -> Iterator[BrokenRule]:
        if not 0.0 <= self.probability <= 1.0:
            yield BrokenRule("probability", "must lie in [0, 1]", self.probability)
        yield from known_instant_only("scored_at", self.scored_at)
        if self.stage_since is not None:
            yield from known_instant_only("stage_since", self.stage_since)
        for _kind, occurred_at in self.activities:
            yield from known_instant_only("activities", occurred_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One lead before one policy at one instant, with the persona already matched."""

    lead: ScoredLead
    policy: Policy
    now: datetime
    match: PersonaMatch | None

    @property
    def here(self) -> Stage:
        return self.lead.current_stage or Stage.LEAD

    @property
    def persona(self) -> str | None:
        return None if self.match is None else self.match.name

    @property
    def time_in_stage(self) -> timedelta | None:
        since = self.lead.stage_since
        return None if since is None else self.now - since

    @property
    def is_resting(self) -> bool:
        """True while the lead may not leave its stage because of its score."""
        spent = self.time_in_stage
        return spent is not None and spent < timedelta(days=self.least_days)

    @property
    def least_days(self) -> int:
        """Days the lead stays where it is, whatever its score."""
        policy = self.policy
        return policy.cool_off_days if self.here is Stage.RECYCLED else policy.least_dwell_days


def decide(scored: ScoredLead, policy: Policy, *, now: datetime) -> Decision:
    """Apply the policy to one scored lead at `now`; pure and total.

    A deadline runs from `now`, or from `stage_since` when the lead was in that stage before: scoring a lead
    again never gives its owner more time. Refusals keep the stage and promise nothing.
    """
    if now.utcoffset() is None:
        return _decided(
            _Case(lead=scored, policy=policy, now=scored.scored_at, match=None), Rule.REFUSED_NAIVE_NOW
        )
    match = match_persona(policy.personas, dict(scored.attributes))
    case = _Case(lead=scored, policy=policy, now=now.astimezone(UTC), match=match)
    for rule in _RULES_IN_ORDER:
        decision = rule(case)
        if decision is not None:
            return decision
    return _decided(case, Rule.REFUSED_NO_THRESHOLD)


def _refuse_untrusted_score(case: _Case) -> Decision | None:
    age = case.now - case.lead.scored_at
    if age < timedelta(0):
        return _decided(case, Rule.REFUSED_FUTURE_SCORE, age=-age)
    if age > timedelta(days=case.policy.score_valid_days):
        return _decided(case, Rule.REFUSED_STALE_SCORE, age=age, limit_days=case.policy.score_valid_days)
    return None


def _keep_opportunity(case: _Case) -> Decision | None:
    is_kept = case.here in FINAL_STAGES and case.here is not Stage.DISQUALIFIED
    return _decided(case, Rule.STAGE_KEPT) if is_kept else None


def _apply_disqualifier(case: _Case) -> Decision | None:
    attributes = dict(case.lead.attributes)
    for disqualifier in case.policy.disqualifiers:
        if all(meets(condition, attributes) for condition in disqualifier.conditions):
            return _decided(
                case,
                Rule.DISQUALIFIER,
                Stage.DISQUALIFIED,
                trigger=disqualifier.label,
                trigger_name=disqualifier.name,
            )
    return None


def _keep_disqualified(case: _Case) -> Decision | None:
    return _decided(case, Rule.STAGE_KEPT) if case.here is Stage.DISQUALIFIED else None


def _apply_override(case: _Case) -> Decision | None:
    """Lift the lead for its newest agreed action, unless its score alone lifts it higher.

    An action wakes a recycled lead: its score counts again too, else the next look would lift it once more.
    """
    found = [(one, age) for one in case.policy.overrides if (age := _age_of_action(case, one)) is not None]
    if not found:
        return None
    override, age = max(found, key=lambda pair: rank(pair[0].stage))
    by_score = _apply_thresholds(_awake(case))
    if by_score is not None and rank(by_score.stage) > rank(override.stage):
        return by_score
    return _decided(
        case,
        Rule.OVERRIDE,
        override.stage,
        trigger=override.label,
        trigger_name=override.name,
        age=age,
        limit_days=override.within_days,
    )


def _awake(case: _Case) -> _Case:
    """Return the case of a recycled lead that need not rest any more; any other as it is."""
    if case.here is not Stage.RECYCLED:
        return case
    return replace(case, lead=replace(case.lead, stage_since=None))


def _age_of_action(case: _Case, override: Override) -> timedelta | None:
    """Return the age of the newest action that counts; one from before a lead was recycled does not."""
    ages = [case.now - at for kind, at in case.lead.activities if kind == override.activity_kind]
    limit = timedelta(days=override.within_days)
    if case.here is Stage.RECYCLED:
        limit = min(limit, case.time_in_stage or timedelta(0))
    return min((age for age in ages if timedelta(0) <= age <= limit), default=None)


def _apply_thresholds(case: _Case) -> Decision | None:
    """Find the highest stage the probability reaches or still holds; None when no threshold is agreed."""
    made: list[Comparison] = []
    for stage in SCORED_STAGES:
        made.extend(_compare(case, stage))
        if made and made[-1].reached:
            rule = Rule.THRESHOLD_REACHED if made[-1].is_entry else Rule.THRESHOLD_HELD
            return _move(case, stage, rule, tuple(made))
    if not made:
        return None
    below = Stage.RECYCLED if case.here is Stage.RECYCLED else Stage.LEAD
    return _move(case, below, Rule.BELOW_THRESHOLD, tuple(made))


def _compare(case: _Case, stage: Stage) -> Iterator[Comparison]:
    """Hold the probability against `enter`; when it fails that and the lead is that far, against `exit`."""
    threshold = case.policy.threshold_for(stage, case.persona)
    if threshold is None:
        return
    probability = case.lead.probability
    has_entered = probability >= threshold.enter
    yield Comparison(stage=stage, is_entry=True, threshold=threshold.enter, reached=has_entered)
    if not has_entered and rank(case.here) >= rank(stage):
        has_stayed = probability >= threshold.exit
        yield Comparison(stage=stage, is_entry=False, threshold=threshold.exit, reached=has_stayed)


def _move(case: _Case, stage: Stage, rule: Rule, comparisons: tuple[Comparison, ...]) -> Decision:
    """Let the score move the lead, unless it has to rest: sinking, or coming back from recycling."""
    is_sinking = rank(stage) < rank(case.here)
    is_returning = case.here is Stage.RECYCLED and stage is not Stage.RECYCLED
    if not (case.is_resting and (is_sinking or is_returning)):
        return _decided(case, Rule.FELL_BACK if is_sinking else rule, stage, comparisons=comparisons)
    return _decided(
        case,
        Rule.LEAST_DWELL if is_sinking else Rule.RECYCLED_REST,
        comparisons=comparisons,
        age=case.time_in_stage,
        limit_days=case.least_days,
    )


def _decided(
    case: _Case,
    rule: Rule,
    stage: Stage | None = None,
    *,
    comparisons: tuple[Comparison, ...] = (),
    trigger: Text | None = None,
    trigger_name: str | None = None,
    age: timedelta | None = None,
    limit_days: int | None = None,
) -> Decision:
    """Complete a decision with what follows from the stage (the present one unless given)."""
    decided = case.here if stage is None else stage
    is_refused = rule in REFUSALS
    return Decision(
        stage=decided,
        rule=rule,
        probability=case.lead.probability,
        policy_version=case.policy.version,
        previous_stage=case.lead.current_stage,
        owner=owner_of(decided),
        persona=case.persona,
        persona_confidence=0.0 if case.match is None else case.match.confidence,
        respond_by=None if is_refused else _deadline(case, decided),
        content=() if is_refused else case.policy.content_for(decided, case.persona),
        comparisons=comparisons,
        trigger=trigger,
        trigger_name=trigger_name,
        age=age,
        limit_days=limit_days,
    )


def _deadline(case: _Case, stage: Stage) -> datetime | None:
    """Return when the owner must have answered (UTC), counted from the instant the stage began."""
    response = case.policy.response_for(stage, case.persona)
    if response is None:
        return None
    began = case.lead.stage_since if case.lead.current_stage is stage else None
    hours = case.policy.hours_of(owner_of(stage))
    return add_business_time(min(began or case.now, case.now), response.within, hours)


_RULES_IN_ORDER: tuple[Callable[[_Case], Decision | None], ...] = (
    _refuse_untrusted_score,
    _keep_opportunity,
    _apply_disqualifier,
    _keep_disqualified,
    _apply_override,
    _apply_thresholds,
)
