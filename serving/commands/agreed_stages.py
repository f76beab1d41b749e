"""What the policy in force makes of probabilities: the only place where training meets the agreement.

The stages are `sla.policy.decide`'s, as the service asks it, for leads without a history of stages.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from serving.clock import now
from serving.errors import Missing
from serving.operations.active_policy import find_policy
from serving.settings import Settings

if TYPE_CHECKING:
    from features.build import Points
    from features.tables import CanonicalTables
    from sla.policy import Policy, ScoredLead
    from training.points import FloatArray
    from training.stage_moves import AgreedStages

MOST_MOVED = 0.10
"""The share of leads a new model may move, where the policy agrees on nothing else: one lead in ten."""


def agreed_stages(settings: Settings, tables: "CanonicalTables") -> "AgreedStages | None":
    """Return the stages of the policy in force over these leads; None when no policy is in force."""
    from training.stage_moves import AgreedStages

    active = find_policy(settings.database, now=now())
    if isinstance(active, Missing):
        return None
    return AgreedStages(
        policy=f"policy version {active.version}",
        decide=stage_decider(active.policy, tables),
        most_moved=MOST_MOVED if active.policy.most_moved is None else active.policy.most_moved,
    )


def stage_decider(
    policy: "Policy", tables: "CanonicalTables"
) -> "Callable[[Points, FloatArray], tuple[str, ...]]":
    """Return the function from points and probabilities, (n,) each, to the stages the policy decides."""

    def decide_all(points: "Points", probability: "FloatArray") -> tuple[str, ...]:
        from sla.policy import decide

        leads = scored_leads(policy, tables, points, probability)
        return tuple(decide(lead, policy, now=lead.scored_at).stage.value for lead in leads)

    return decide_all


def scored_leads(
    policy: "Policy", tables: "CanonicalTables", points: "Points", probability: "FloatArray"
) -> "Iterable[ScoredLead]":
    """Yield the leads as the policy sees them: attributes and actions as known at each point."""
    from features.history.stored_lead import StoredLead
    from features.times import EPOCH, MICROSECOND
    from serving.scorer import attribute_values
    from sla.policy import ScoredLead

    rows = _PolicyRows(policy, tables)
    placed = zip(points.lead_index.tolist(), points.as_of_us.tolist(), probability.tolist(), strict=True)
    for index, as_of_us, chance in placed:
        as_of, lead = EPOCH + as_of_us * MICROSECOND, rows.leads[index]
        stored = StoredLead(lead=lead, activities=(), attribute_changes=rows.changes_of(lead["lead_id"]))
        yield ScoredLead(
            lead_id=lead["lead_id"],
            probability=chance,
            scored_at=as_of,
            attributes=attribute_values(stored.lead_as_of(as_of)),
            activities=rows.actions_until(lead["lead_id"], as_of),
        )


class _PolicyRows:
    """The columns, changes and activities that a policy looks at, by lead."""

    def __init__(self, policy: "Policy", tables: "CanonicalTables") -> None:
        import pyarrow as pa
        import pyarrow.compute as pc

        from serving.scorer import attributes_of_policy

        read = attributes_of_policy(policy)
        columns = [name for name in tables.leads.column_names if name == "lead_id" or name in read]
        kinds = pa.array([each.activity_kind for each in policy.overrides], pa.string())
        actions = tables.activities.filter(pc.is_in(tables.activities["kind"], value_set=kinds))
        changes = tables.attribute_changes
        changes = changes.filter(pc.is_in(changes["attribute"], value_set=pa.array(columns, pa.string())))
        self.leads: list[dict[str, Any]] = tables.leads.select(columns).to_pylist()
        self._schema = tables.leads.schema
        self._actions = _grouped(actions.select(["lead_id", "kind", "occurred_at"]).to_pylist())
        self._changes = _grouped(changes.to_pylist())

    def changes_of(self, lead_id: str) -> tuple[Mapping[str, object], ...]:
        from features.history.stored_lead import typed_changes

        return tuple(typed_changes(self._changes.get(lead_id, ()), self._schema))

    def actions_until(self, lead_id: str, as_of: datetime) -> tuple[tuple[str, datetime], ...]:
        """Return the actions that an override asks for; the policy looks at no other."""
        return tuple(
            (row["kind"], row["occurred_at"])
            for row in self._actions.get(lead_id, ())
            if row["occurred_at"] <= as_of
        )


def _grouped(rows: Iterable[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(row["lead_id"], []).append(row)
    return groups
