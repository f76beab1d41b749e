"""What a boosted model is at run time: sound trees as flat arrays, their margins and their exact TreeSHAP.

Equal to LightGBM's ``predict(raw_score=True)`` and ``pred_contrib`` without LightGBM. Which text is refused
is decided in tree_text.py; the loops are in tree_kernel.py; probabilities and points are made elsewhere.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from features.errors import InputError
from training.tree_kernel import (
    CATEGORICAL,
    LEAF,
    NAN_LEFT,
    POINTS_STEP,
    ZERO_IS_MISSING,
    Nodes,
    Paths,
    invert_factors,
    sum_margins,
    sum_shap,
    trace_paths,
)
from training.tree_text import ParsedTree, parse_text

FloatArray = npt.NDArray[np.float64]

MAX_PATH_FEATURES = 256

_DEFAULT_LEFT_BIT = 2
_MISSING_SHIFT = 2
_MISSING_NONE, _MISSING_ZERO = 0, 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TreeEnsemble:
    """A boosted model that is ready to score.

    ``expected_margin`` is the mean margin over the training rows: what the contributions start from.
    """

    feature_names: tuple[str, ...]
    nodes: Nodes
    paths: Paths
    expected_margin: float

    @property
    def n_features(self) -> int:
        """Columns a matrix must have."""
        return len(self.feature_names)

    @property
    def n_trees(self) -> int:
        """Trees whose leaf values are added."""
        return self.nodes.tree_start.size - 1

    def split_features(self, *, categorical: bool) -> frozenset[int]:
        """Return the features of all categorical (or all numeric) splits."""
        wanted = (self.nodes.feature != LEAF) & ((self.nodes.flags & CATEGORICAL != 0) == categorical)
        return frozenset(self.nodes.feature[wanted].tolist())

    def highest_category(self, feature_index: int) -> int:
        """Return the largest category that any split on the feature names; -1 when none does."""
        wanted = (self.nodes.feature == feature_index) & (self.nodes.flags & CATEGORICAL != 0)
        return max((self._highest_of_set(int(slot)) for slot in self.nodes.threshold[wanted]), default=-1)

    def _highest_of_set(self, slot: int) -> int:
        start, end = self.nodes.category_start[slot : slot + 2].tolist()
        words = self.nodes.category_words[start:end].tolist()
        return max(
            (32 * place + word.bit_length() - 1 for place, word in enumerate(words) if word), default=-1
        )


def parse_model_text(text: str) -> TreeEnsemble:
    """Read LightGBM 4 model text of a binary model; InputError names every tree and key that is wrong."""
    parsed = parse_text(text)
    orders = [_preorder(tree) for tree in parsed.trees]
    nodes = _flatten(parsed.trees, orders)
    count = _join(_counts(tree, order) for tree, order in zip(parsed.trees, orders, strict=True))
    return TreeEnsemble(
        feature_names=parsed.feature_names,
        nodes=nodes,
        paths=_build_paths(nodes, count),
        expected_margin=sum(_expected_value(tree) for tree in parsed.trees),
    )


def predict_margin(ensemble: TreeEnsemble, matrix: FloatArray) -> FloatArray:
    """Return the raw margin (log-odds before calibration) of rows (n, n_features), shape (n,)."""
    margin: FloatArray = sum_margins(_prepared(ensemble, matrix), ensemble.nodes)
    return margin


def tree_shap(ensemble: TreeEnsemble, matrix: FloatArray) -> FloatArray:
    """Return exact path-dependent SHAP values of rows (n, n_features), shape (n, n_features + 1).

    The last column is the expected margin; a row sums to its margin.
    """
    shap: FloatArray = sum_shap(_prepared(ensemble, matrix), ensemble.nodes, ensemble.paths)
    shap[:, -1] = ensemble.expected_margin
    return shap


def _prepared(ensemble: TreeEnsemble, matrix: FloatArray) -> FloatArray:
    """Contiguous and writable, because another array type would make numba compile the loop again."""
    ready = np.require(matrix, dtype=np.float64, requirements=["C", "W", "A"])
    if ready.ndim != 2 or ready.shape[1] != ensemble.n_features:
        raise InputError(f"matrix: must be (n, {ensemble.n_features}); got {ready.shape}")
    return ready


def _preorder(tree: ParsedTree) -> npt.NDArray[np.int64]:
    """Return the nodes of the text (a leaf as ``~leaf``) in the order of the flat arrays."""
    left, right = tree.left_child.tolist(), tree.right_child.tolist()
    stack = [0 if left else ~0]
    order = []
    while stack:
        node = stack.pop()
        order.append(node)
        if node >= 0:
            stack += [right[node], left[node]]
    return np.array(order, dtype=np.int64)


def _per_node(
    order: npt.NDArray[np.int64], of_split: npt.NDArray[Any], of_leaf: npt.NDArray[Any]
) -> npt.NDArray[Any]:
    """Spread values of splits (n - 1,) and leaves (n,) over the nodes; leaf ``~i`` counts from the end."""
    return np.concatenate([of_split, of_leaf[::-1]])[order]


def _features(tree: ParsedTree, order: npt.NDArray[np.int64]) -> FloatArray:
    return _per_node(order, tree.split_feature, np.full(tree.leaf_value.size, LEAF))


def _thresholds(tree: ParsedTree, order: npt.NDArray[np.int64], first_set: int) -> FloatArray:
    categorical = tree.decision_type & CATEGORICAL != 0
    threshold = np.where(categorical, tree.threshold + first_set, tree.threshold)
    return _per_node(order, threshold, tree.leaf_value)


def _counts(tree: ParsedTree, order: npt.NDArray[np.int64]) -> FloatArray:
    return _per_node(order, tree.internal_count.astype(np.float64), tree.leaf_count.astype(np.float64))


def _right_nodes(tree: ParsedTree, order: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    position = np.empty(order.size, dtype=np.int64)
    position[order] = np.arange(order.size)
    own = np.zeros(tree.leaf_value.size, dtype=np.int64)
    return np.concatenate([position[tree.right_child], own])[order]


def _flags(tree: ParsedTree, order: npt.NDArray[np.int64]) -> FloatArray:
    """Decide once per split where a missing value goes; without a missing type NaN counts as zero."""
    categorical = tree.decision_type & CATEGORICAL != 0
    missing = tree.decision_type >> _MISSING_SHIFT
    default_left = tree.decision_type & _DEFAULT_LEFT_BIT != 0
    nan_left = np.where(missing == _MISSING_NONE, tree.threshold >= 0.0, default_left)
    numeric = np.where(nan_left, NAN_LEFT, 0) | np.where(missing == _MISSING_ZERO, ZERO_IS_MISSING, 0)
    return _per_node(order, np.where(categorical, CATEGORICAL, numeric), np.zeros(tree.leaf_value.size))


def _join(parts: Iterable[npt.NDArray[np.generic]]) -> FloatArray:
    return np.concatenate([part.astype(np.float64) for part in parts])


def _starts(sizes: Sequence[int], dtype: type[np.signedinteger[Any]]) -> npt.NDArray[Any]:
    return np.concatenate([[0], np.cumsum(sizes)]).astype(dtype)


def _flatten(trees: Sequence[ParsedTree], orders: Sequence[npt.NDArray[np.int64]]) -> Nodes:
    tree_start = _starts([order.size for order in orders], np.int32)
    first_set = _starts([tree.cat_boundaries.size - 1 for tree in trees], np.int64)
    placed = list(zip(trees, orders, tree_start, first_set, strict=False))
    n_words = [int(length) for tree in trees for length in np.diff(tree.cat_boundaries)]
    return Nodes(
        tree_start=tree_start,
        feature=_join(_features(tree, order) for tree, order, _, _ in placed).astype(np.int32),
        threshold=_join(_thresholds(tree, order, first) for tree, order, _, first in placed),
        flags=_join(_flags(tree, order) for tree, order, _, _ in placed).astype(np.uint8),
        right=_join(_right_nodes(tree, order) + start for tree, order, start, _ in placed).astype(np.int32),
        category_start=_starts(n_words, np.int32),
        category_words=_join(tree.cat_threshold for tree in trees).astype(np.uint32),
    )


def _expected_value(tree: ParsedTree) -> float:
    share = tree.leaf_count / tree.leaf_count.sum()
    return float((share * tree.leaf_value).sum())


def _build_paths(nodes: Nodes, count: FloatArray) -> Paths:
    twin, share, n_path_features = trace_paths(nodes, count)
    n_points = _points_needed(np.maximum.reduceat(n_path_features, nodes.tree_start[:-1]))
    table_start = _starts((np.diff(nodes.tree_start).astype(np.int64) * n_points).tolist(), np.int64)
    abscissa, weight = _quadrature_rules(int(n_points.max()))
    return Paths(
        twin=twin,
        share=share,
        n_points=n_points,
        table_start=table_start,
        inverse=invert_factors(nodes, share, n_points, table_start, abscissa),
        abscissa=abscissa,
        weight=weight,
    )


def _points_needed(n_path_features: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Return the smallest multiple of POINTS_STEP that is exact: n points integrate degree 2 n - 1."""
    if n_path_features.max() > MAX_PATH_FEATURES:
        raise InputError(
            f"model text: a path may test at most {MAX_PATH_FEATURES} different features; "
            f"got {n_path_features.max()}"
        )
    per_step = 2 * POINTS_STEP
    return ((n_path_features + per_step - 1) // per_step * POINTS_STEP).astype(np.int32)


def _quadrature_rules(most_points: int) -> tuple[FloatArray, FloatArray]:
    n_rules = most_points // POINTS_STEP + 1
    abscissa, weight = np.zeros((2, n_rules, max(most_points, 1)))
    for rule in range(1, n_rules):
        points = rule * POINTS_STEP
        at, share = np.polynomial.legendre.leggauss(points)
        abscissa[rule, :points], weight[rule, :points] = (at + 1.0) / 2.0, share / 2.0
    return abscissa, weight
