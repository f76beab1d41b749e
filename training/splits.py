"""Which leads teach, which calibrate, which judge, and what was known when: leads are split, never rows.

Forward in time where there are times: what the parts that teach may know ends where the test part begins.
Without times the rank of arrival decides, without a rank a hash of the lead's id. Which model is fitted is
decided elsewhere.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from features.build import Points
from features.tables import CanonicalTables
from training.labels import Labels, label_points
from training.outcomes import DAY_US, BoolArray, IntArray, lead_created_order, lead_created_us, leads_with
from training.points import FloatArray
from training.snapshots import snapshot_points

TEST_SHARE = 0.20
CALIBRATION_SHARE = 0.25
"""Of what is left of the test part: 20 % of all leads, 60 % remain to learn from."""
VALIDATION_SHARE = 0.20
"""Of the training leads whose horizon is over: on these and all newer ones candidates are judged."""
MIN_PART_OUTCOMES = 20

AS_KNOWN = "labels of the training and the calibration part as known when the test part begins"
AS_EXPORTED = (
    "labels of all parts as known at the export, because the leads span too little time for the horizon: the "
    "test leads are newer, but a model trained in their time would have known fewer answers"
)
OPEN_HORIZONS = (
    "; too few leads are older than the horizon of {horizon_days} days, so the newest leads are used too, "
    "weighted by inverse probability of censoring"
)


HASH_STEPS = 2**53
"""Hash positions are whole numbers below this, so that a float holds each exactly."""


class SplitKind(StrEnum):
    """What orders the parts; the word is written into the model's manifest."""

    FORWARD = "forward"
    ORDER = "order"
    STRATIFIED = "stratified"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """Leads of one part, int64 (n,) rows of the leads table, and until when their labels are known."""

    lead_index: IntArray
    known_until_us: int | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Split:
    """Three disjoint parts, why they were cut so, and where the never-trained-on rest begins.

    ``test_from`` is the position (`lead_positions`) at which the test part begins.
    """

    kind: SplitKind
    reason: str
    train: Part
    calibration: Part
    test: Part
    test_from: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Where forward parts begin and until when what they teach is known, all in microseconds UTC."""

    calibration_from_us: int
    test_from_us: int
    known_us: int
    reason: str


def split_leads(tables: CanonicalTables, *, horizon_days: int) -> Split:
    """Split the leads of one CRM; deterministic, and a lead is in one part only."""
    if tables.has_times and tables.known_until_us is not None:
        return _split_forward(tables, horizon_days=horizon_days, known_until_us=tables.known_until_us)
    if tables.has_order:
        return _split_by_order(tables)
    return _split_by_hash(tables)


def label_part(tables: CanonicalTables, part: Part, *, horizon_days: int) -> tuple[Points, Labels]:
    """Return the snapshots of one part up to its cut-off and their labels as known then."""
    points = snapshot_points(tables, until_us=part.known_until_us, lead_index=part.lead_index)
    return points, label_points(tables, points, horizon_days=horizon_days, known_until_us=part.known_until_us)


def newest_share_from(position: IntArray, share: float) -> int:
    """Return the position (time or rank) from which on about this share of the given positions lies."""
    ordered = np.sort(position)
    return int(ordered[min(int(len(ordered) * (1.0 - share)), len(ordered) - 1)])


def validation_leads(tables: CanonicalTables, split: Split, *, horizon_days: int) -> BoolArray:
    """Return which training leads (n,) are the newest, on which candidates are judged."""
    position = lead_positions(tables, split.kind)
    matured_until = int(position.max())
    if split.train.known_until_us is not None:
        matured_until = split.train.known_until_us - horizon_days * DAY_US
    return newest_slice(position[split.train.lead_index], matured_until=matured_until, share=VALIDATION_SHARE)


def newest_slice(position: IntArray, *, matured_until: int, share: float) -> BoolArray:
    """Return which leads are newest (n,): those from where on `share` of the matured ones lie."""
    if len(position) == 0:
        return np.zeros(0, dtype=np.bool_)
    matured = position[position <= matured_until]
    return position >= newest_share_from(matured if len(matured) else position, share)


def _split_forward(tables: CanonicalTables, *, horizon_days: int, known_until_us: int) -> Split:
    created_us = lead_created_us(tables)
    usable_until_us, note = _usable_until_us(tables, created_us, horizon_days, known_until_us)
    usable = created_us <= usable_until_us
    cuts = _cuts(created_us[usable], horizon_days * DAY_US, known_until_us)
    splits = [_forward_parts(created_us, usable, cut, known_until_us, note) for cut in cuts]
    informative = (split for split in splits if _is_informative(tables, split, horizon_days=horizon_days))
    return next(informative, splits[-1])


def _usable_until_us(
    tables: CanonicalTables, created_us: IntArray, horizon_days: int, known_until_us: int
) -> tuple[int, str]:
    """Return until when leads are used, and what to say when even those with open horizons are needed."""
    matured_us = known_until_us - horizon_days * DAY_US
    leads = np.flatnonzero(created_us <= matured_us)
    if _has_both(tables, Part(lead_index=leads, known_until_us=known_until_us), horizon_days):
        return matured_us, ""
    return known_until_us, OPEN_HORIZONS.format(horizon_days=horizon_days)


def _cuts(created_us: IntArray, horizon_us: int, known_until_us: int) -> Iterator[Cut]:
    """Yield the strict cut, whose labels end where the test begins, then the lenient one."""
    test_us = newest_share_from(created_us, TEST_SHARE)
    before_test = created_us[created_us < test_us]
    matured = before_test[before_test <= test_us - horizon_us]
    if len(matured):
        yield Cut(
            calibration_from_us=newest_share_from(matured, CALIBRATION_SHARE),
            test_from_us=test_us,
            known_us=test_us,
            reason=AS_KNOWN,
        )
    yield Cut(
        calibration_from_us=newest_share_from(
            before_test if len(before_test) else created_us, CALIBRATION_SHARE
        ),
        test_from_us=test_us,
        known_us=known_until_us,
        reason=AS_EXPORTED,
    )


def _forward_parts(
    created_us: IntArray, usable: BoolArray, cut: Cut, known_until_us: int, note: str
) -> Split:
    before, after = created_us < cut.calibration_from_us, created_us >= cut.test_from_us
    return Split(
        kind=SplitKind.FORWARD,
        reason=f"forward in time by lead creation; {cut.reason}{note}",
        train=Part(lead_index=np.flatnonzero(usable & before), known_until_us=cut.known_us),
        calibration=Part(lead_index=np.flatnonzero(usable & ~before & ~after), known_until_us=cut.known_us),
        test=Part(lead_index=np.flatnonzero(usable & after), known_until_us=known_until_us),
        test_from=cut.test_from_us,
    )


def _is_informative(tables: CanonicalTables, split: Split, *, horizon_days: int) -> bool:
    """Tell whether the parts that teach know enough wins and others, and the newest that teach any at all."""
    newest = validation_leads(tables, split, horizon_days=horizon_days)
    validation = Part(lead_index=split.train.lead_index[newest], known_until_us=split.train.known_until_us)
    return all(
        _has_both(tables, part, horizon_days) for part in (split.train, split.calibration)
    ) and _has_both(tables, validation, horizon_days, at_least=1)


def _has_both(
    tables: CanonicalTables, part: Part, horizon_days: int, *, at_least: int = MIN_PART_OUTCOMES
) -> bool:
    points = _creation_points(tables, part)
    labels = label_points(tables, points, horizon_days=horizon_days, known_until_us=part.known_until_us)
    won = int(labels.label[labels.known].sum())
    return min(won, int(labels.known.sum()) - won) >= at_least


def _creation_points(tables: CanonicalTables, part: Part) -> Points:
    return Points(lead_index=part.lead_index, as_of_us=lead_created_us(tables)[part.lead_index])


def _split_by_order(tables: CanonicalTables) -> Split:
    """Cut by the leads with an outcome: the newest ones are often open, and could not judge anything."""
    rank = lead_created_order(tables)
    answered = rank[leads_with(tables, "won") | leads_with(tables, "lost")]
    test_from = newest_share_from(answered, TEST_SHARE)
    before_test = answered[answered < test_from]
    calibration_from = newest_share_from(before_test if len(before_test) else answered, CALIBRATION_SHARE)
    return _untimed_split(
        SplitKind.ORDER,
        "by rank of arrival, because the export has no times; outcomes as they are in the export",
        rank < calibration_from,
        rank >= test_from,
        test_from=test_from,
    )


def _split_by_hash(tables: CanonicalTables) -> Split:
    """Cut by a hash of the lead's id: a lead stays in its part however the history grows."""
    place = lead_positions(tables, SplitKind.STRATIFIED)
    test_from = int(HASH_STEPS * (1.0 - TEST_SHARE))
    return _untimed_split(
        SplitKind.STRATIFIED,
        "by a hash of lead_id, because the export has neither times nor an order; nothing is forward in time",
        place < HASH_STEPS * (1.0 - TEST_SHARE) * (1.0 - CALIBRATION_SHARE),
        place >= test_from,
        test_from=test_from,
    )


def hash_places(lead_ids: list[str]) -> FloatArray:
    """Return for each id a place in [0, 1) that looks random and never changes, (n,)."""
    digests = (hashlib.sha256(lead_id.encode()).digest()[:8] for lead_id in lead_ids)
    return np.array([int.from_bytes(digest, "big") / 2.0**64 for digest in digests], dtype=np.float64)


def _untimed_split(
    kind: SplitKind, reason: str, train: BoolArray, test: BoolArray, *, test_from: int
) -> Split:
    parts = (np.flatnonzero(chosen) for chosen in (train, ~train & ~test, test))
    named = [Part(lead_index=leads, known_until_us=None) for leads in parts]
    return Split(
        kind=kind, reason=reason, train=named[0], calibration=named[1], test=named[2], test_from=test_from
    )


def lead_positions(tables: CanonicalTables, kind: SplitKind) -> IntArray:
    """Return where each lead stands (n_leads,): created_at in microseconds, rank of arrival, or a hash."""
    if kind is SplitKind.FORWARD:
        return lead_created_us(tables)
    if kind is SplitKind.ORDER:
        return lead_created_order(tables)
    return (hash_places(tables.leads.column("lead_id").to_pylist()) * HASH_STEPS).astype(np.int64)


def newest_part(tables: CanonicalTables, *, kind: SplitKind, test_from: int, horizon_days: int) -> Part:
    """Return the leads from a position on that may be judged today: what a model cut there has never seen."""
    position = lead_positions(tables, kind)
    chosen = position >= test_from
    known_until_us = tables.known_until_us if kind is SplitKind.FORWARD else None
    if known_until_us is not None:
        chosen &= position <= _usable_until_us(tables, position, horizon_days, known_until_us)[0]
    return Part(lead_index=np.flatnonzero(chosen), known_until_us=known_until_us)
