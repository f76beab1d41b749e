"""A sum of trees as LightGBM 4 model text: what joins additive models and boosted trees into one model.

An additive model is a tree per column, and a sum of models in log-odds is their trees with scaled leaves; so
the strict reader, the kernel and the exact TreeSHAP that score a boosted model score every blend too.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from training.candidates.additive import AdditiveModel
from training.candidates.binning import CategoryCut, Codes, Cut, NumberCut
from training.points import FloatArray

_HEADER = (
    "tree",
    "version=v4",
    "num_class=1",
    "num_tree_per_iteration=1",
    "label_index=0",
)
_MISSING_IS_NAN, _CATEGORICAL = 8, 1
"""Bits of LightGBM's decision_type; without its bit 2 what is missing goes right."""
_WORD_BITS = 32
_SCALED_KEYS = ("leaf_value", "internal_value")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaledText:
    """A LightGBM model text and what its margin is multiplied with."""

    text: str
    scale: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Leaves:
    """The leaves of one column's tree in order from left to right: worth, rows, and what leads there.

    ``splits`` (k - 1) separate neighbours: a threshold, or the categories of the left side alone.
    """

    values: FloatArray
    counts: Codes
    thresholds: FloatArray
    levels: tuple[tuple[int, ...], ...]


def write_constant(margin: float, *, n_rows: int, n_columns: int) -> str:
    """Return the model that says the same of everybody."""
    return _join([_one_leaf(margin, n_rows)], n_columns=n_columns)


def write_additive(model: AdditiveModel, *, n_columns: int) -> str:
    """Return an additive model as text: a tree per column that tells anything apart, and the intercept."""
    trees = [
        _column_tree(column, cut, values, counts)
        for column, (cut, values, counts) in enumerate(
            zip(model.cuts, model.values, model.counts, strict=True)
        )
        if values.min() < values.max()
    ]
    constant = sum(float(values[0]) for values in model.values if values.min() == values.max())
    n_rows = max(int(model.counts[0].sum()), 1)
    return _join([_one_leaf(model.intercept + constant, n_rows), *trees], n_columns=n_columns)


def join_texts(parts: Sequence[ScaledText], *, n_columns: int) -> str:
    """Return one text whose margin is the scaled sum of the parts' margins.

    Trees of one leaf, and all the constants that come with them, become one tree.
    """
    blocks = [(block, part.scale) for part in parts for block in _blocks(part.text)]
    constant = sum(_lone_value(block) * scale for block, scale in blocks if _is_lone(block))
    n_rows = max(_rows(block) for block, _ in blocks)
    scaled = [_scaled(block, scale) for block, scale in blocks if not _is_lone(block)]
    return _join([_one_leaf(constant, n_rows), *scaled], n_columns=n_columns)


def _join(trees: Sequence[str], *, n_columns: int) -> str:
    numbered = [f"Tree={number}\n{tree}\n\n\n" for number, tree in enumerate(trees)]
    header = (
        *_HEADER,
        f"max_feature_idx={n_columns - 1}",
        "objective=binary sigmoid:1",
        f"feature_names={' '.join(f'f{index}' for index in range(n_columns))}",
        f"feature_infos={' '.join(['none'] * n_columns)}",
        f"tree_sizes={' '.join(str(len(tree)) for tree in numbered)}",
    )
    return "\n".join(header) + "\n\n" + "".join(numbered) + "end of trees\n"


def _blocks(text: str) -> Iterator[str]:
    """Yield the trees of a text without their number."""
    body = text.partition("\n\n")[2].partition("end of trees")[0]
    for block in body.split("Tree=")[1:]:
        yield block.partition("\n")[2].rstrip("\n")


def _pairs(block: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in block.split("\n"))


def _is_lone(block: str) -> bool:
    return block.startswith("num_leaves=1\n")


def _lone_value(block: str) -> float:
    return float(_pairs(block)["leaf_value"])


def _rows(block: str) -> int:
    pairs = _pairs(block)
    counts = pairs.get("internal_count") or pairs.get("leaf_count") or "1"
    return max(int(counts.split(" ")[0]), 1)


def _scaled(block: str, scale: float) -> str:
    pairs = _pairs(block)
    for key in _SCALED_KEYS:
        pairs[key] = _numbers(np.array(pairs[key].split(" "), dtype=np.float64) * scale)
    return "\n".join(f"{key}={value}" for key, value in pairs.items())


def _one_leaf(value: float, n_rows: int) -> str:
    pairs = dict.fromkeys(_SPLIT_KEYS, "")
    return _block(
        {**pairs, "leaf_value": repr(value), "leaf_count": str(n_rows)}, n_leaves=1, sets=(), weights="0"
    )


_SPLIT_KEYS = (
    "split_feature",
    "split_gain",
    "threshold",
    "decision_type",
    "left_child",
    "right_child",
    "internal_value",
    "internal_weight",
    "internal_count",
)


def _block(pairs: dict[str, str], *, n_leaves: int, sets: Sequence[tuple[int, ...]], weights: str) -> str:
    """Return a tree in the order of keys that LightGBM writes."""
    words = [_words(levels) for levels in sets]
    categories = {
        "cat_boundaries": _numbers(np.concatenate([[0], np.cumsum([len(own) for own in words])])),
        "cat_threshold": " ".join(str(word) for own in words for word in own),
    }
    ordered = {
        "num_leaves": str(n_leaves),
        "num_cat": str(len(sets)),
        **{key: pairs[key] for key in _SPLIT_KEYS[:6]},
        "leaf_value": pairs["leaf_value"],
        "leaf_weight": weights,
        "leaf_count": pairs["leaf_count"],
        **{key: pairs[key] for key in _SPLIT_KEYS[6:]},
        **(categories if sets else {}),
        "is_linear": "0",
        "shrinkage": "1",
    }
    return "\n".join(f"{key}={value}" for key, value in ordered.items())


def _words(levels: Sequence[int]) -> list[int]:
    """Return categories as LightGBM's bit set of 32-bit words."""
    words = [0] * (max(levels) // _WORD_BITS + 1)
    for level in levels:
        words[level // _WORD_BITS] |= 1 << level % _WORD_BITS
    return words


def _numbers(values: FloatArray | Codes) -> str:
    return " ".join(map(repr, values.tolist()))


def _column_tree(column: int, cut: Cut, values: FloatArray, counts: Codes) -> str:
    if isinstance(cut, NumberCut):
        return _balanced_tree(column, _number_leaves(cut, values, counts))
    return _balanced_tree(column, _level_leaves(cut, values, counts))


def _number_leaves(cut: NumberCut, values: FloatArray, counts: Codes) -> _Leaves:
    """Return bins with their neighbours of equal worth as one leaf; the missing one is the last."""
    worth, rows = values[:-1], counts[:-1]
    firsts = np.flatnonzero(np.concatenate([[True], worth[1:] != worth[:-1]]))
    return _Leaves(
        values=np.append(worth[firsts], values[-1]),
        counts=np.append(np.add.reduceat(rows, firsts), counts[-1]),
        thresholds=np.append(cut.edges[firsts[1:] - 1], np.inf),
        levels=(),
    )


def _level_leaves(cut: CategoryCut, values: FloatArray, counts: Codes) -> _Leaves:
    """Return categories of equal worth as one leaf; the last holds what is in no set: missing."""
    alone = enumerate(cut.levels.tolist())
    named: list[tuple[tuple[int, ...], int]] = [((level,), place) for place, level in alone]
    others = cut.other_codes
    named += [(others, len(named))] if others else []
    by_worth: dict[float, list[tuple[tuple[int, ...], int]]] = {}
    for codes, place in named:
        by_worth.setdefault(float(values[place]), []).append((codes, int(counts[place])))
    ordered = sorted(by_worth)
    return _Leaves(
        values=np.array([*ordered, values[-1]]),
        counts=np.array([*(sum(rows for _, rows in by_worth[value]) for value in ordered), counts[-1]]),
        thresholds=np.empty(0),
        levels=tuple(tuple(code for codes, _ in by_worth[value] for code in codes) for value in ordered),
    )


@dataclass(slots=True)
class _Splits:
    """The splits of a tree that is being built, parents before their children."""

    threshold: list[float]
    left: list[int]
    right: list[int]
    rows: list[int]
    worth: list[float]
    sets: list[tuple[int, ...]]


def _balanced_tree(column: int, leaves: _Leaves) -> str:
    """Return the tree that halves the leaves until each is alone; what is missing goes right, to the last."""
    rows = np.maximum(leaves.counts, 1).astype(np.int64)
    splits = _Splits([], [], [], [], [], [])
    _split(splits, leaves, rows, 0, len(rows))
    n_splits = len(splits.rows)
    zeros = " ".join(["0"] * n_splits)
    pairs = {
        "split_feature": " ".join([str(column)] * n_splits),
        "split_gain": zeros,
        "threshold": _numbers(np.array(splits.threshold)),
        "decision_type": " ".join([str(_MISSING_IS_NAN | (_CATEGORICAL if leaves.levels else 0))] * n_splits),
        "left_child": _numbers(np.array(splits.left)),
        "right_child": _numbers(np.array(splits.right)),
        "leaf_value": _numbers(leaves.values),
        "leaf_count": _numbers(rows),
        "internal_value": _numbers(np.array(splits.worth)),
        "internal_weight": zeros,
        "internal_count": _numbers(np.array(splits.rows)),
    }
    if leaves.levels:
        pairs["threshold"] = _numbers(np.arange(n_splits))
    weights = " ".join(["0"] * len(rows))
    return _block(pairs, n_leaves=len(rows), sets=splits.sets, weights=weights)


def _split(splits: _Splits, leaves: _Leaves, rows: Codes, first: int, end: int) -> int:
    """Add the tree of leaves first ... end - 1; return its node, a leaf as ``~leaf``."""
    if end - first == 1:
        return ~first
    node, middle = len(splits.rows), (first + end) // 2
    splits.rows.append(int(rows[first:end].sum()))
    splits.worth.append(float(np.average(leaves.values[first:end], weights=rows[first:end])))
    splits.threshold.append(0.0 if leaves.levels else float(leaves.thresholds[middle - 1]))
    if leaves.levels:
        splits.sets.append(tuple(code for codes in leaves.levels[first:middle] for code in codes))
    splits.left.append(0)
    splits.right.append(0)
    splits.left[node] = _split(splits, leaves, rows, first, middle)
    splits.right[node] = _split(splits, leaves, rows, middle, end)
    return node
