"""The compiled loops over trees: margins and exact TreeSHAP. Nothing is checked here: tree_text.py did.

Nodes lie in preorder, so a node's left child is the next node and a child always comes after its parent.

TreeSHAP (path-dependent; Lundberg et al. 2020, "From local explanations to global understanding with
explainable AI for trees", Algorithm 2) is computed by quadrature: along a path with cover shares z and
outcomes o of d different features the Shapley value is an integral over q of a polynomial of degree d - 1
(the multilinear extension, Owen 1972), and Gauss-Legendre with at least d / 2 points integrates it exactly.
See Wettenstein, Mitchell and Yu 2026, "Quadrature-TreeSHAP" (arXiv:2605.04497). Path products are products
of positive factors, so deep trees lose no accuracy. Subtrees share their sums: the cost of a row is nodes
times points, not leaves times depth.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int32]
Whole = int | np.int64
LongArray = npt.NDArray[np.int64]
ByteArray = npt.NDArray[np.uint8]
WordArray = npt.NDArray[np.uint32]

LEAF = -1
CATEGORICAL = 1
NAN_LEFT = 2
ZERO_IS_MISSING = 4
NAN_LEFT_SHIFT = 1

ZERO_BAND = float(np.float32(1e-35))  # LightGBM reads values this near to zero as zero
ROWS_PER_BLOCK = 64
POINTS_STEP = 2
_TOO_LARGE_CATEGORY = 2147483648.0  # LightGBM's cast to a 32-bit integer makes it negative, so it goes right
_at = np.uint64  # numba looks for negative indices, which costs a third of the time, unless they are unsigned


class Nodes(NamedTuple):
    """All trees as flat arrays over their nodes in preorder; ``right`` is absolute.

    tree_start : (n_trees + 1,) first node of each tree
    feature : split feature, -1 for a leaf
    threshold : split threshold; number of the category set for a categorical split; value of a leaf
    flags : CATEGORICAL, NAN_LEFT, ZERO_IS_MISSING
    category_start, category_words : bit sets of all categorical splits, (n_sets + 1,) and their words
    """

    tree_start: IntArray
    feature: IntArray
    threshold: FloatArray
    flags: ByteArray
    right: IntArray
    category_start: IntArray
    category_words: WordArray


class Paths(NamedTuple):
    """What TreeSHAP needs and no row changes; arrays per node, per tree or per quadrature rule.

    twin, share : see :func:`trace_paths`; (n_nodes,)
    n_points : (n_trees,) quadrature points of each tree, 0 for a single leaf
    table_start : (n_trees + 1,) first number of each tree in ``inverse``
    inverse : ``1 / (share + q (1 - share))`` per node and point q, flat
    abscissa, weight : Gauss-Legendre rules on 0-1; row k holds POINTS_STEP * k points
    """

    twin: IntArray
    share: FloatArray
    n_points: IntArray
    table_start: LongArray
    inverse: FloatArray
    abscissa: FloatArray
    weight: FloatArray


@njit(cache=True, nogil=True, inline="always")
def _known_goes_left(
    value: float, threshold: float, flags: Whole, category_start: IntArray, category_words: WordArray
) -> bool:
    """Decide the rarer splits, by category or with zero as missing, for a value that is not NaN."""
    if (flags & CATEGORICAL) != 0:
        if value <= -1.0 or value >= _TOO_LARGE_CATEGORY:
            return False
        category, slot = int(value), int(threshold)
        word = category_start[slot] + (category >> 5)
        if word >= category_start[slot + 1]:
            return False
        return bool((category_words[word] >> np.uint32(category & 31)) & 1)
    if value == 0.0:
        return (flags & NAN_LEFT) != 0
    return value <= threshold


@njit(cache=True, nogil=True, inline="always")
def _goes_left(
    value: float, threshold: float, flags: Whole, category_start: IntArray, category_words: WordArray
) -> np.int64:
    """Return 1 or 0, by arithmetic where it can: a wrongly guessed direction costs the CPU most."""
    if (flags & (CATEGORICAL | ZERO_IS_MISSING)) != 0 and value == value:
        left = np.int64(_known_goes_left(value, threshold, flags, category_start, category_words))
    else:
        left = np.int64(value <= threshold) | (np.int64(value != value) & (flags >> NAN_LEFT_SHIFT))
    return left


@njit(cache=True, nogil=True, inline="always")
def _copy_row(source: FloatArray, target: FloatArray) -> None:
    for column in range(source.size):
        value = source[column]
        target[column] = 0.0 if abs(value) <= ZERO_BAND else value


@njit(cache=True, nogil=True)
def sum_margins(matrix: FloatArray, nodes: Nodes) -> FloatArray:
    """Return the sum of leaf values per row, (n,), added in the order of the trees as LightGBM adds them."""
    tree_start, features, thresholds, flags, rights, category_start, category_words = nodes
    n_rows, n_features = matrix.shape
    margin = np.zeros(n_rows)
    block = np.empty((min(n_rows, ROWS_PER_BLOCK), n_features))
    for first in range(0, n_rows, ROWS_PER_BLOCK):
        size = min(ROWS_PER_BLOCK, n_rows - first)
        for row in range(size):
            _copy_row(matrix[first + row], block[row])
        for tree in range(tree_start.size - 1):
            for row in range(size):
                node = np.int64(tree_start[tree])
                feature = features[_at(node)]
                while feature >= 0:
                    value = block[_at(row), _at(feature)]
                    threshold, flag = thresholds[_at(node)], np.int64(flags[_at(node)])
                    left = _goes_left(value, threshold, flag, category_start, category_words)
                    node += 1 + (np.int64(rights[_at(node)]) - node - 1) * (1 - left)
                    feature = features[_at(node)]
                margin[first + row] += thresholds[_at(node)]
    return margin


@njit(cache=True, nogil=True)
def trace_paths(nodes: Nodes, count: FloatArray) -> tuple[IntArray, FloatArray, IntArray]:
    """Return per node what its path says about it, each (n_nodes,); ``count`` are training rows per node.

    twin : the nearest node at or above whose incoming edge splits on the same feature; the root if none does
    share : cover share of the incoming edge's feature, all its edges on the path multiplied; 1 at the root
    n_path_features : different features on the path to the node
    """
    twin = np.zeros(count.size, dtype=np.int32)
    share = np.ones(count.size)
    n_path_features = np.zeros(count.size, dtype=np.int32)
    parent = np.zeros(count.size, dtype=np.int32)
    for tree in range(nodes.tree_start.size - 1):
        root = nodes.tree_start[tree]
        for node in range(root, nodes.tree_start[tree + 1]):
            if nodes.feature[node] == LEAF:
                continue
            above = node
            while above != root and nodes.feature[parent[above]] != nodes.feature[node]:
                above = parent[above]
            twin[node] = above
            for child in (node + 1, np.int64(nodes.right[node])):
                parent[child] = node
                share[child] = share[above] * count[child] / count[node]
                n_path_features[child] = n_path_features[node] + (1 if above == root else 0)
    return twin, share, n_path_features


@njit(cache=True, nogil=True)
def invert_factors(
    nodes: Nodes,
    share: FloatArray,
    n_points: IntArray,
    table_start: LongArray,
    abscissa: FloatArray,
) -> FloatArray:
    """Return ``1 / (z + q (1 - z))`` of every node's share z at every point q of its tree's rule, flat."""
    inverse = np.empty(table_start[-1])
    for tree in range(n_points.size):
        position = table_start[tree]
        for node in range(nodes.tree_start[tree], nodes.tree_start[tree + 1]):
            for point in range(n_points[tree]):
                q = abscissa[n_points[tree] // POINTS_STEP, point]
                inverse[position] = 1.0 / (share[node] + q * (1.0 - share[node]))
                position += 1
    return inverse


@njit(cache=True, nogil=True)
def _descend(
    root: Whole,
    end: Whole,
    row: FloatArray,
    features: IntArray,
    thresholds: FloatArray,
    flags: ByteArray,
    rights: IntArray,
    category_start: IntArray,
    category_words: WordArray,
    twins: IntArray,
    shares: FloatArray,
    inverse: FloatArray,
    abscissa: FloatArray,
    follows: LongArray,
    product: FloatArray,
) -> None:
    """Fill ``product`` with the path product of every node at every point, leaves times their value.

    ``follows`` tells of a node whether the row follows all edges of its incoming feature on the path.
    """
    points = abscissa.size
    for node in range(root, end):
        feature = features[_at(node)]
        if feature == LEAF:
            continue
        left, right, twin = node + 1, np.int64(rights[_at(node)]), np.int64(twins[_at(node)])
        value, flag = row[_at(feature)], np.int64(flags[_at(node)])
        goes_left = _goes_left(value, thresholds[_at(node)], flag, category_start, category_words)
        hot = right + (left - right) * goes_left
        cold = left + right - hot
        followed = follows[_at(twin - root)]
        follows[_at(hot - root)] = followed
        follows[_at(cold - root)] = 0
        hot_scale = thresholds[_at(hot)] if features[_at(hot)] == LEAF else 1.0
        cold_scale = thresholds[_at(cold)] if features[_at(cold)] == LEAF else 1.0
        cold_scale *= shares[_at(cold)]
        hot_share = shares[_at(hot)]
        above, to_hot, to_cold = (node - root) * points, (hot - root) * points, (cold - root) * points
        if followed == 0:
            hot_scale *= hot_share / shares[_at(twin)]
            cold_scale /= shares[_at(twin)]
            for point in range(points):
                rest = product[_at(above + point)]
                product[_at(to_hot + point)] = rest * hot_scale
                product[_at(to_cold + point)] = rest * cold_scale
        else:
            known = (twin - root) * points
            for point in range(points):
                q, rest = abscissa[_at(point)], product[_at(above + point)]
                if twin != root:
                    rest *= inverse[_at(known + point)]
                product[_at(to_hot + point)] = rest * (hot_share + q * (1.0 - hot_share)) * hot_scale
                product[_at(to_cold + point)] = rest * (1.0 - q) * cold_scale


@njit(cache=True, nogil=True)
def _ascend(
    root: Whole,
    end: Whole,
    features: IntArray,
    rights: IntArray,
    twins: IntArray,
    shares: FloatArray,
    inverse: FloatArray,
    opposite: FloatArray,
    follows: LongArray,
    product: FloatArray,
    shap: FloatArray,
) -> None:
    """Sum ``product`` from the leaves up and add to every split's feature what its two edges contribute."""
    points = opposite.size
    for node in range(end - 1, root - 1, -1):
        feature = features[_at(node)]
        if feature == LEAF:
            continue
        left, right, twin = node + 1, np.int64(rights[_at(node)]), np.int64(twins[_at(node)])
        hot = right + (left - right) * follows[_at(left - root)]
        cold = left + right - hot
        above, at_hot, at_cold = (node - root) * points, (hot - root) * points, (cold - root) * points
        hot_gap, twin_gap = 1.0 - shares[_at(hot)], 1.0 - shares[_at(twin)]
        known = (twin - root) * points
        total = 0.0
        for point in range(points):
            of_hot, of_cold = product[_at(at_hot + point)], product[_at(at_cold + point)]
            product[_at(above + point)] = of_hot + of_cold
            from_hot, from_cold = hot_gap * inverse[_at(at_hot + point)], opposite[_at(point)]
            if twin != root:
                before = twin_gap * inverse[_at(known + point)]
                from_hot, from_cold = from_hot - before, from_cold + before
            total += from_hot * of_hot - from_cold * of_cold
        if follows[_at(twin - root)] != 0:
            shap[_at(feature)] += total


@njit(cache=True, nogil=True)
def sum_shap(matrix: FloatArray, nodes: Nodes, paths: Paths) -> FloatArray:
    """Return the SHAP values of every row, (n, n_features + 1); the last column is left at zero."""
    tree_start, features, thresholds, flags, rights, category_start, category_words = nodes
    twins, shares, n_points, table_start, inverse, abscissas, weights = paths
    n_rows, n_features = matrix.shape
    shap = np.zeros((n_rows, n_features + 1))
    row = np.empty(n_features)
    follows = np.ones(np.diff(tree_start).max(), dtype=np.int64)  # the root, node 0, is always followed
    product = np.empty(np.diff(table_start).max() + 1)
    opposites = 1.0 / (1.0 - abscissas)
    for index in range(n_rows):
        _copy_row(matrix[index], row)
        for tree in range(n_points.size):
            root, end, points = np.int64(tree_start[tree]), np.int64(tree_start[tree + 1]), n_points[tree]
            if points == 0:
                continue
            rule = points // POINTS_STEP
            abscissa, opposite = abscissas[rule, :points], opposites[rule, :points]
            table = inverse[table_start[tree] : table_start[tree + 1]]
            product[:points] = weights[rule, :points]
            _descend(
                root, end, row, features, thresholds, flags, rights, category_start, category_words,
                twins, shares, table, abscissa, follows, product,
            )  # fmt: skip
            _ascend(
                root, end, features, rights, twins, shares, table, opposite, follows, product, shap[index]
            )
    return shap
