"""TreeSHAP by its definitions, slow and readable; it knows nothing of the code under test.

A tree is read from LightGBM's own ``dump_model()`` dictionary. The game is the path-dependent one of Lundberg
et al. 2020: a coalition knows its features' values; at a split on any other feature both sides are averaged
by their counts of training rows.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from itertools import combinations
from typing import Any

Node = Mapping[str, Any]
GoesLeft = Callable[[Node], bool]


def shapley_by_coalitions(root: Node, goes_left: GoesLeft, n_features: int) -> list[float]:
    """Return the Shapley values by summing over all coalitions: exponential, for a handful of features."""
    values = []
    for feature in range(n_features):
        others = [other for other in range(n_features) if other != feature]
        total = 0.0
        for size in range(n_features):
            weight = 1.0 / (n_features * math.comb(n_features - 1, size))
            for coalition in combinations(others, size):
                known = frozenset(coalition)
                total += weight * (
                    _worth(root, goes_left, known | {feature}) - _worth(root, goes_left, known)
                )
        values.append(total)
    return values


def shapley_in_fractions(root: Node, goes_left: GoesLeft, n_features: int) -> list[float]:
    """Return the Shapley values in exact rational arithmetic, leaf by leaf, for deep trees."""
    values = [Fraction(0)] * n_features
    for leaf_value, path in _paths(root, goes_left, {}):
        for feature, (followed, share) in path.items():
            others = [pair for other, pair in path.items() if other != feature]
            values[feature] += leaf_value * (followed - share) * _mean_over_orders(others)
    return [float(value) for value in values]


def _worth(node: Node, goes_left: GoesLeft, known: frozenset[int]) -> float:
    if "leaf_value" in node:
        return float(node["leaf_value"])
    left, right = node["left_child"], node["right_child"]
    if node["split_feature"] in known:
        return _worth(left if goes_left(node) else right, goes_left, known)
    share = _count(left) / _count(node)
    return share * _worth(left, goes_left, known) + (1.0 - share) * _worth(right, goes_left, known)


def _paths(
    node: Node, goes_left: GoesLeft, path: dict[int, tuple[int, Fraction]]
) -> Iterator[tuple[Fraction, dict[int, tuple[int, Fraction]]]]:
    if "leaf_value" in node:
        yield Fraction(node["leaf_value"]), path
        return
    feature, is_left = node["split_feature"], goes_left(node)
    followed, share = path.get(feature, (1, Fraction(1)))
    for child, taken in ((node["left_child"], is_left), (node["right_child"], not is_left)):
        part = Fraction(_count(child), _count(node))
        yield from _paths(child, goes_left, {**path, feature: (followed * taken, share * part)})


def _mean_over_orders(others: list[tuple[int, Fraction]]) -> Fraction:
    """Average over all orders of joining: the product of the outcomes joined and the shares not joined."""
    by_size = [Fraction(1)]
    for followed, share in others:
        joined = [Fraction(0), *(term * followed for term in by_size)]
        apart = [*(term * share for term in by_size), Fraction(0)]
        by_size = [one + other for one, other in zip(joined, apart, strict=True)]
    n_others = len(others)
    return sum(
        (term / ((n_others + 1) * math.comb(n_others, size)) for size, term in enumerate(by_size)),
        Fraction(0),
    )


def _count(node: Node) -> int:
    return int(node["leaf_count"] if "leaf_value" in node else node["internal_count"])
