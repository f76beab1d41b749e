"""The sections [pledges] and [capacity] of a policy file: TOML tables -> clauses.

Decides which keys exist. What they may hold is decided by `sla.clauses_pledges`.
"""

from sla.clauses_pledges import CapacityRule, MarketingPledge, PledgePeriod, Pledges, SalesPledge
from sla.policy_fields import NUMBER, STAGE, WHOLE, Kind, TableReader, one_of
from sla.stages import Stage

_PERIOD: Kind[PledgePeriod] = one_of(PledgePeriod, PledgePeriod.MONTH)
_NO_MARKETING = MarketingPledge(stage=Stage.MQL, leads=1)
_NO_SALES = SalesPledge(answered_in_time=1.0)


def read_pledges(table: TableReader) -> Pledges | None:
    """Return the pledges, or None when anything in them is wrong and reported."""
    pledges = table.build(
        Pledges,
        period=table.need("period", _PERIOD),
        marketing=_read_marketing(table),
        sales=_read_sales(table),
    )
    table.close()
    return pledges


def read_capacity(table: TableReader) -> CapacityRule | None:
    """Return how much sales can do, or None when anything in it is wrong and reported."""
    capacity = table.build(
        CapacityRule,
        hours_per_week=table.need("hours_per_week", NUMBER),
        hours_per_sql=table.need("hours_per_sql", NUMBER),
        hours_per_attempt=table.need("hours_per_attempt", NUMBER),
    )
    table.close()
    return capacity


def _read_marketing(table: TableReader) -> MarketingPledge:
    """Read marketing's side; a mistake in it is a mistake in the pledges."""
    inner = table.table("marketing")
    pledge = inner.build(
        MarketingPledge,
        stage=inner.need("stage", STAGE),
        leads=inner.need("leads", WHOLE),
        expected_wins=inner.maybe("expected_wins", NUMBER),
    )
    inner.close()
    if pledge is None:
        table.spoil("marketing")
    return pledge or _NO_MARKETING


def _read_sales(table: TableReader) -> SalesPledge:
    """Read sales' side; a mistake in it is a mistake in the pledges."""
    inner = table.table("sales")
    pledge = inner.build(
        SalesPledge,
        answered_in_time=inner.need("answered_in_time", NUMBER),
        least_attempts=inner.get("least_attempts", NUMBER, 1.0),
        followed_up=inner.get("followed_up", NUMBER, 1.0),
    )
    inner.close()
    if pledge is None:
        table.spoil("sales")
    return pledge or _NO_SALES
