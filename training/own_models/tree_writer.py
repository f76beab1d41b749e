"""Trees as LightGBM text that `training.tree_text` reads back: only what a model directory needs of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

NAN_RIGHT, NAN_LEFT, CATEGORY = 8, 10, 9
"""LightGBM's decision types: a missing value goes right, goes left; a set of categories goes left."""

WORD_BITS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A value in log-odds, and how many training rows ended here."""

    value: float
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Rows with value <= ``threshold``, or with a code in ``codes``, go left; the others right.

    A missing value goes where ``missing_left`` says; of a category always right, as in LightGBM.
    """

    feature: int
    left: "Tree"
    right: "Tree"
    threshold: float = 0.0
    codes: tuple[int, ...] | None = None
    missing_left: bool = False


Tree = Leaf | Split


def write_trees(trees: Sequence[Tree], *, n_features: int) -> str:
    """Return the model text of a sum of trees over columns f0, f1, ….

    The values are in log-odds; numbers are written so that they read back equal.
    """
    blocks = [_block(number, tree) for number, tree in enumerate(trees)]
    names = " ".join(f"f{column}" for column in range(n_features))
    header = (
        "tree",
        "version=v4",
        "num_class=1",
        "num_tree_per_iteration=1",
        "label_index=0",
        f"max_feature_idx={n_features - 1}",
        "objective=binary sigmoid:1",
        f"feature_names={names}",
        f"feature_infos={' '.join(['none'] * n_features)}",
        f"tree_sizes={' '.join(str(len(block)) for block in blocks)}",
    )
    return "\n".join(header) + "\n\n" + "".join(blocks) + "end of trees\n"


def count_rows(tree: Tree) -> int:
    """Return how many training rows reached a node."""
    return tree.count if isinstance(tree, Leaf) else count_rows(tree.left) + count_rows(tree.right)


def _block(number: int, tree: Tree) -> str:
    splits = [node for node in _in_order(tree) if isinstance(node, Split)]
    leaves = [node for node in _in_order(tree) if isinstance(node, Leaf)]
    place = {id(node): position for position, node in enumerate(splits)}
    place |= {id(node): ~position for position, node in enumerate(leaves)}
    sets = [split.codes for split in splits if split.codes is not None]
    words = [_bits(codes) for codes in sets]
    pairs = {
        "num_leaves": len(leaves),
        "num_cat": len(sets),
        "split_feature": _row(split.feature for split in splits),
        "split_gain": _row(1 for _ in splits),
        "threshold": _row(_thresholds(splits)),
        "decision_type": _row(map(_decision, splits)),
        "left_child": _row(place[id(split.left)] for split in splits),
        "right_child": _row(place[id(split.right)] for split in splits),
        "leaf_value": _row(f"{leaf.value:.17g}" for leaf in leaves),
        "leaf_weight": _row(leaf.count for leaf in leaves),
        "leaf_count": _row(leaf.count for leaf in leaves),
        "internal_value": _row(0 for _ in splits),
        "internal_weight": _row(map(count_rows, splits)),
        "internal_count": _row(map(count_rows, splits)),
    }
    if sets:
        bounds = [0]
        for each in words:
            bounds.append(bounds[-1] + len(each))
        pairs |= {
            "cat_boundaries": _row(bounds),
            "cat_threshold": _row(word for each in words for word in each),
        }
    pairs |= {"is_linear": 0, "shrinkage": 1}
    return f"Tree={number}\n" + "".join(f"{key}={value}\n" for key, value in pairs.items()) + "\n\n"


def _in_order(tree: Tree) -> Iterator[Tree]:
    """Yield a node before its children."""
    yield tree
    if isinstance(tree, Split):
        yield from _in_order(tree.left)
        yield from _in_order(tree.right)


def _thresholds(splits: Sequence[Split]) -> Iterator[str]:
    """Yield thresholds; a split by category has the number of its set."""
    n_sets = 0
    for split in splits:
        if split.codes is None:
            yield f"{split.threshold:.17g}"
        else:
            yield str(n_sets)
            n_sets += 1


def _decision(split: Split) -> int:
    if split.codes is not None:
        return CATEGORY
    return NAN_LEFT if split.missing_left else NAN_RIGHT


def _bits(codes: tuple[int, ...]) -> list[int]:
    """Return a set of codes as 32-bit words, lowest first; at least one."""
    words = [0] * (max(codes, default=0) // WORD_BITS + 1)
    for code in codes:
        words[code // WORD_BITS] |= 1 << code % WORD_BITS
    return words


def _row(values: "Iterator[object] | Sequence[object] | map[int]") -> str:
    return " ".join(str(value) for value in values)
