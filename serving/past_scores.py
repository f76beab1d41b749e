"""Past leads scored by the champion as they were known then, out of time: what a what-if and a diff count.

A lead counts only when it was created after everything the champion was taught with (its manifest says when);
how many are left out for that is said, never hidden. For outcomes, the horizon must be over as well.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.attributes import instants_us
from features.build import Points, build_features
from features.errors import LeadPactError
from features.tables import CanonicalTables
from serving.batch import fit_columns
from serving.champion import Champion
from serving.scorer import EPOCH, to_microseconds
from training.artifact import LoadedModel

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

AGE_DAYS = 7
"""A past lead is scored as it was so many days after its creation, or just before an earlier deal."""

DAY_US = 86_400_000_000
NEVER_US = 2**62
TEST_FROM = "test_from_position"
"""The metric of a manifest that holds where the never-trained-on leads begin, in microseconds UTC."""


class NoPastScoresError(LeadPactError):
    """There is no lead of the past that the champion was not taught with and whose answer is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastLeads:
    """Past leads with known outcome, one row each; see the module for who counts.

    `trained_on` and `still_open` count the leads left out: known to the champion, or within their horizon.
    """

    lead_ids: tuple[str, ...]
    probabilities: tuple[float, ...]
    won: tuple[bool, ...]
    since: datetime
    until: datetime
    trained_on: int
    still_open: int

    @property
    def weeks(self) -> float:
        """The length of the period in which these leads were created, at least a day."""
        return max(self.until - self.since, timedelta(days=1)) / timedelta(weeks=1)


def taught_until_us(model: LoadedModel) -> int:
    """Return from when on (int64 microseconds UTC) leads are out of time for a model.

    Raises `NoPastScoresError` for a model that was not tested forward in time: no period is out of time then.
    """
    manifest = model.manifest
    if manifest.split == "forward":
        if TEST_FROM in dict(manifest.metrics):
            return int(dict(manifest.metrics)[TEST_FROM])
        if manifest.trained_until is not None:
            return to_microseconds(datetime.fromisoformat(manifest.trained_until).astimezone(UTC))
    raise NoPastScoresError(
        f"the champion was tested {manifest.split}, not forward in time: no past lead is out of time for it"
    )


def matured_leads(champion: Champion, tables: CanonicalTables) -> PastLeads:
    """Score every past lead whose horizon is over, as of `AGE_DAYS` after its creation.

    Won means: a won deal within the horizon after the score. Raises `NoPastScoresError` when there is none.
    """
    known_until_us = known_until(tables)
    created_us = instants_us(tables.leads.column("created_at"))
    since_us = taught_until_us(champion.model)
    horizon_us = champion.model.manifest.horizon_days * DAY_US
    until_us = known_until_us - horizon_us - AGE_DAYS * DAY_US
    chosen = np.flatnonzero((created_us >= since_us) & (created_us <= until_us)).astype(np.int64)
    if not len(chosen):
        raise NoPastScoresError(
            f"no lead was created after {instant_of(since_us).date()}, until when the champion was taught, "
            f"and before {instant_of(until_us).date()}, so that its horizon is over"
        )
    closed_us, won_us = _first_deals(tables, None), _first_deals(tables, "won")
    as_of_us = np.minimum(created_us + AGE_DAYS * DAY_US, np.maximum(closed_us - 1, created_us))[chosen]
    within = (won_us[chosen] > as_of_us) & (won_us[chosen] <= as_of_us + horizon_us)
    return PastLeads(
        lead_ids=tuple(tables.leads.column("lead_id").take(pa.array(chosen)).to_pylist()),
        probabilities=tuple(probabilities_of(champion.model, tables, chosen, as_of_us).tolist()),
        won=tuple(within.tolist()),
        since=instant_of(max(since_us, int(created_us.min()))),
        until=instant_of(until_us),
        trained_on=int((created_us < since_us).sum()),
        still_open=int((created_us > until_us).sum()),
    )


def probabilities_of(
    model: LoadedModel, tables: CanonicalTables, lead_index: IntArray, as_of_us: IntArray
) -> FloatArray:
    """Return the probability of each lead (n,) as it was known at its instant (n,)."""
    fitted, _ = fit_columns(tables, model.feature_set)
    matrix = build_features(model.feature_set, fitted, Points(lead_index=lead_index, as_of_us=as_of_us))
    return np.asarray(model.predict(matrix).probability, dtype=np.float64)


def open_leads(tables: CanonicalTables, *, since_us: int, until_us: int) -> IntArray:
    """Return the leads created in [since, until] that had no deal by `until`."""
    created_us = instants_us(tables.leads.column("created_at"))
    is_open = _first_deals(tables, None) > until_us
    return np.flatnonzero((created_us >= since_us) & (created_us <= until_us) & is_open).astype(np.int64)


def known_until(tables: CanonicalTables) -> int:
    """Return the last instant (int64 microseconds UTC) a history knows; `NoPastScoresError` without times."""
    known_until_us = tables.known_until_us
    if known_until_us is None:
        raise NoPastScoresError("the history has no times: there is no past period to count")
    return known_until_us


def _first_deals(tables: CanonicalTables, outcome: str | None) -> IntArray:
    """Return when each lead's first deal (of an outcome) closed, (n_leads,), or `NEVER_US`."""
    deals = tables.deals
    if outcome is not None:
        deals = deals.filter(pc.equal(deals.column("outcome"), outcome))
    index = pc.index_in(deals.column("lead_id"), value_set=tables.leads.column("lead_id").combine_chunks())
    first = np.full(tables.leads.num_rows, NEVER_US, dtype=np.int64)
    np.minimum.at(first, np.asarray(index, dtype=np.int64), instants_us(deals.column("closed_at")))
    return first


def instant_of(us: int) -> datetime:
    """Return microseconds UTC since 1970 as an instant."""
    return EPOCH + timedelta(microseconds=us)
