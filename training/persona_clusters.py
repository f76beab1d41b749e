"""Kinds of buyers among won leads: clusters of their attributes, described by what is telling of them.

Decides which attributes may describe a buyer, how many kinds there are (latent classes, the
least BIC), and which levels tell a kind from all leads (lift). What becomes of a kind is for people to say.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pat

from features.errors import InputError
from features.tables import CanonicalTables
from training.outcomes import BoolArray, IntArray, leads_with

FEWEST_WON = 30
"""Fewer won leads show kinds that chance made."""

MOST_LEVELS = 40
FEWEST_WITH_LEVEL = 5
MOST_KINDS = 6
MOST_ATTRIBUTES = 3
LEAST_LIFT = 1.25
LEAST_COVERED = 0.55
WAYS_OF_ARRIVAL = ("source", "campaign", "channel", "origin", "medium", "utm", "referrer", "landing")
"""An attribute describes a kind when levels that are more frequent in it than elsewhere cover so much."""

LEVEL_OF_LINKS = 0.01
STARTS, ROUNDS = 6, 40

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class TellingAttribute:
    """Levels of one attribute that are frequent in a kind: the share of the kind that has one, and the lift.

    Lift is that share against the share among all leads. A number is told by its bounds: `least` and `most`,
    None where it has none; then there are no levels.
    """

    attribute: str
    levels: tuple[str | bool, ...] = ()
    least: float | None = None
    most: float | None = None
    covered: float
    lift: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BuyerKind:
    """One kind of buyer: how many won leads it has, and what tells it from all leads."""

    won: int
    telling: tuple[TellingAttribute, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuyerKinds:
    """The kinds, the largest first; `bits_per_lead` is what a lead's kind tells of its attributes."""

    won: int
    bits_per_lead: float
    kinds: tuple[BuyerKind, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Trait:
    """One yes-or-no of every lead: that an attribute has a level, or that a number lies within bounds."""

    attribute: str
    level: str | bool | None
    least: float | None
    most: float | None
    holds: BoolArray


def find_buyer_kinds(
    tables: CanonicalTables, *, kinds: int | None = None, without: Collection[str] = ()
) -> BuyerKinds:
    """Return the kinds of buyers among won leads; `kinds` fixes how many.

    Attributes named in `without` describe nobody, nor does how a lead came (`WAYS_OF_ARRIVAL` in its name):
    that is no trait of a person.

    Raises InputError with fewer than `FEWEST_WON` won leads, or when no attribute can describe them.
    """
    won = leads_with(tables, "won")
    if int(won.sum()) < FEWEST_WON:
        raise InputError(f"personas need at least {FEWEST_WON} won leads; there are {int(won.sum())}")
    traits = tuple(_traits(tables, won, without))
    if not traits:
        raise InputError("no attribute has levels that several leads share; there is nothing to describe by")
    labels, bits = _clusters(traits, won, kinds)
    found = [
        BuyerKind(won=int((labels == label).sum()), telling=_telling(traits, _members(won, labels == label)))
        for label in np.unique(labels)
    ]
    described = sorted((kind for kind in found if kind.telling), key=lambda kind: -kind.won)
    return BuyerKinds(won=int(won.sum()), bits_per_lead=bits, kinds=tuple(described))


def _traits(tables: CanonicalTables, won: BoolArray, without: Collection[str]) -> Iterator[_Trait]:
    """Yield the traits of every attribute that may describe a buyer: none that is known only later."""
    never = {one.column for one in tables.crm.never}
    for name in tables.attribute_columns:
        column = tables.leads.column(name)
        if name in never or name in without or any(word in name.lower() for word in WAYS_OF_ARRIVAL):
            continue
        if pat.is_floating(column.type):
            yield from _number_traits(name, column, won)
        elif pat.is_string(column.type) or pat.is_boolean(column.type):
            yield from _level_traits(name, column, won)


def _level_traits(name: str, column: pa.ChunkedArray, won: BoolArray) -> Iterator[_Trait]:
    counts = pc.value_counts(column.drop_null())
    levels = [one["values"].as_py() for one in counts]
    if len(levels) > MOST_LEVELS:
        return
    for level in sorted(levels, key=str):
        holds = np.asarray(pc.fill_null(pc.equal(column, level), False))  # noqa: FBT003 - Arrow's signature
        if int((holds & won).sum()) >= FEWEST_WITH_LEVEL:
            yield _Trait(attribute=name, level=level, least=None, most=None, holds=holds)


def _number_traits(name: str, column: pa.ChunkedArray, won: BoolArray) -> Iterator[_Trait]:
    """Yield thirds of a number: low, middle, high, by all leads that have one."""
    values = np.asarray(pc.fill_null(column, float("nan")), dtype=np.float64)
    known = values[~np.isnan(values)]
    if not len(known):
        return
    low, high = (float(each) for each in np.quantile(known, [1 / 3, 2 / 3], method="higher"))
    for least, most in ((None, low), (low, high), (high, None)):
        holds = np.isfinite(values)
        holds &= (values >= (-np.inf if least is None else least)) & (
            values <= (np.inf if most is None else most)
        )
        if low < high and int((holds & won).sum()) >= FEWEST_WITH_LEVEL:
            yield _Trait(attribute=name, level=None, least=least, most=most, holds=holds)


def _clusters(traits: Sequence[_Trait], won: BoolArray, kinds: int | None) -> tuple[IntArray, float]:
    """Return the kind of each won lead (n,), and how many bits its kind tells of a lead's attributes.

    Kinds are latent classes: within one, attributes are independent. Their number is that of the least BIC,
    one included, unless it is given; k-means gives each fit its start.
    """
    levels = [one for one in _levels(traits, won) if kinds is not None or one.is_linked]
    shown = np.column_stack(
        [one.places[:, np.newaxis] == np.arange(one.count) for one in levels] or [won[won]]
    )
    counts = [one.count for one in levels] or [1]
    fits = [_fit(shown.astype(np.float64), counts, k) for k in _numbers(shown, kinds)]
    best, alone = min(fits, key=lambda one: one.bic), _fit(shown.astype(np.float64), counts, 1)
    told = (best.log_likelihood - alone.log_likelihood) / len(shown) / np.log(2.0)
    return best.labels, max(0.0, float(told))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Levels:
    """One attribute of the won leads: which of `count` levels each has (n_won,); 0 is none that is known.

    `is_linked` says that it goes with another attribute; one that does not can tell no kinds.
    """

    count: int
    places: IntArray
    is_linked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Fit:
    """Latent classes fitted: the class of each lead, the log-likelihood in nats, and the BIC."""

    labels: IntArray
    log_likelihood: float
    bic: float


def _levels(traits: Sequence[_Trait], won: BoolArray) -> list[_Levels]:
    found = []
    for name in dict.fromkeys(one.attribute for one in traits):
        own = [one.holds[won] for one in _of(traits, name)]
        places = np.select(own, range(1, len(own) + 1), 0).astype(np.int64)
        found.append(_Levels(count=len(own) + 1, places=places))
    pairs = max(1, len(found) * (len(found) - 1) // 2)
    return [
        replace(one, is_linked=any(_go_together(one, other, pairs) for other in found if other is not one))
        for one in found
    ]


def _go_together(one: _Levels, other: _Levels, pairs: int) -> bool:
    """Say whether two attributes depend on each other: a chi-squared test, its level shared by all pairs."""
    from scipy.stats import chi2_contingency

    table = np.zeros((one.count, other.count))
    np.add.at(table, (one.places, other.places), 1.0)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    return min(table.shape) > 1 and float(chi2_contingency(table).pvalue) < LEVEL_OF_LINKS / pairs


def _numbers(shown: BoolArray, kinds: int | None) -> range:
    most = len(np.unique(shown, axis=0))
    return (
        range(1, min(MOST_KINDS, most) + 1)
        if kinds is None
        else range(min(kinds, most), min(kinds, most) + 1)
    )


def _fit(shown: FloatArray, counts: Sequence[int], kinds: int) -> _Fit:
    """Fit latent classes to rows of shown levels (n, sum of counts) by EM; the best of some starts."""
    from sklearn.cluster import KMeans

    starts = range(STARTS if kinds > 1 else 1)
    found = [
        _expectation_maximisation(
            shown, counts, KMeans(n_clusters=kinds, n_init=1, random_state=start).fit_predict(shown), kinds
        )
        for start in starts
    ]
    return min(found, key=lambda one: one.bic)


def _expectation_maximisation(shown: FloatArray, counts: Sequence[int], labels: IntArray, kinds: int) -> _Fit:
    belongs = np.eye(kinds)[labels]
    log_likelihood = 0.0
    for _ in range(ROUNDS):
        weight = belongs.sum(axis=0)
        # Every level of an attribute has a share of one lead before any is seen, so that none is impossible.
        prior = np.repeat([1.0 / count for count in counts], counts)[:, np.newaxis]
        log_levels = np.log((shown.T @ belongs + prior) / (weight + 1.0))
        joint = shown @ log_levels + np.log((weight + 1.0) / (weight.sum() + kinds))
        total = np.logaddexp.reduce(joint, axis=1)
        belongs, log_likelihood = np.exp(joint - total[:, np.newaxis]), float(total.sum())
    free = kinds - 1 + kinds * sum(count - 1 for count in counts)
    bic = free * np.log(len(shown)) - 2.0 * log_likelihood
    return _Fit(labels=np.argmax(belongs, axis=1), log_likelihood=log_likelihood, bic=float(bic))


def _members(won: BoolArray, chosen: BoolArray) -> BoolArray:
    members = np.zeros(len(won), dtype=np.bool_)
    members[np.flatnonzero(won)[chosen]] = True
    return members


def _telling(traits: Sequence[_Trait], members: BoolArray) -> tuple[TellingAttribute, ...]:
    """Return the attributes that tell a kind from all leads, the most telling first."""
    names = dict.fromkeys(one.attribute for one in traits)
    found = [one for name in names if (one := _described(_of(traits, name), members)) is not None]
    found.sort(key=lambda one: (one.covered - one.covered / one.lift, one.attribute), reverse=True)
    return tuple(found[:MOST_ATTRIBUTES])


def _of(traits: Sequence[_Trait], name: str) -> list[_Trait]:
    return [one for one in traits if one.attribute == name]


def _described(traits: Sequence[_Trait], members: BoolArray) -> TellingAttribute | None:
    """Return one attribute as a description of a kind; None when it tells too little."""
    telling = [one for one in traits if _share(one.holds, members) >= LEAST_LIFT * one.holds.mean()]
    if not telling:
        return None
    if telling[0].level is None:
        telling = [max(telling, key=lambda one: _share(one.holds, members))]
    holds = np.logical_or.reduce([one.holds for one in telling])
    covered = _share(holds, members)
    if covered < LEAST_COVERED:
        return None
    return TellingAttribute(
        attribute=telling[0].attribute,
        levels=tuple(one.level for one in telling if one.level is not None),
        least=telling[0].least,
        most=telling[0].most,
        covered=covered,
        lift=covered / float(holds.mean()),
    )


def _share(holds: BoolArray, members: BoolArray) -> float:
    return float(holds[members].mean())
