"""A strict reader of LightGBM's model text: what is not exactly a binary gradient-boosted model is refused.

LightGBM's own parser aborts the process on damaged text. Here every count, index and number is checked, all
problems are reported at once, and what is returned is structurally sound. What the trees mean is trees.py's.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.errors import InputError

MAX_LEAVES = 4096
MAX_TREES = 20_000
MAX_FEATURES = 10_000

_INTEGER = re.compile(r"-?[0-9]{1,15}")
_INTEGERS = re.compile(r"-?[0-9]{1,15}(?: -?[0-9]{1,15})*")
_NUMBER = r"-?[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[eE][-+]?[0-9]{1,4})?"
_NUMBERS = re.compile(f"{_NUMBER}(?: {_NUMBER})*")
_BOUND = f"(?:{_NUMBER}|-?inf)"  # a split between NaN and everything else has the threshold inf
_BOUNDS = re.compile(f"{_BOUND}(?: {_BOUND})*")
_FIXED_HEADER = {
    "version": "v4",
    "num_class": "1",
    "num_tree_per_iteration": "1",
    "objective": "binary sigmoid:1",
}
_HEADER_KEYS = (
    *_FIXED_HEADER,
    "label_index",
    "max_feature_idx",
    "feature_names",
    "feature_infos",
    "tree_sizes",
)
_OPTIONAL_HEADER_KEYS = ("monotone_constraints",)
_PER_SPLIT = ("split_feature", "threshold", "decision_type", "left_child", "right_child", "internal_count")
_UNUSED = ("split_gain", "leaf_weight", "internal_value", "internal_weight", "shrinkage")
_TREE_KEYS = ("num_leaves", "num_cat", *_PER_SPLIT, "leaf_value", "leaf_count", "is_linear", *_UNUSED)
_CATEGORY_KEYS = ("cat_boundaries", "cat_threshold")
_REAL_KEYS = {"threshold": _BOUNDS, "leaf_value": _NUMBERS}

_CATEGORICAL_BIT = 1
_MISSING_SHIFT = 2
_MAX_MISSING_TYPE = 2
_MAX_DECISION_TYPE = _CATEGORICAL_BIT | 2 | _MAX_MISSING_TYPE << _MISSING_SHIFT

Numbers = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTextProblem:
    """One rule that the model text breaks: where (header or tree), which key, which value."""

    place: str
    key: str
    rule: str
    value: str

    def text(self) -> str:
        """Return one line naming place, key, rule and value."""
        shown = self.value if len(self.value) <= 80 else f"{self.value[:80]}…"
        return f"model text, {self.place}, {self.key}: {self.rule}; got {shown!r}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ParsedTree:
    """A sound tree of n leaves: splits (n - 1,), leaves (n,); a child below 0 is a leaf, ``~child``."""

    split_feature: Integers
    threshold: Numbers
    decision_type: Integers
    left_child: Integers
    right_child: Integers
    internal_count: Integers
    leaf_value: Numbers
    leaf_count: Integers
    cat_boundaries: Integers
    cat_threshold: Integers


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ParsedModel:
    """Feature names in column order, and the trees in the order their values are added."""

    feature_names: tuple[str, ...]
    trees: tuple[ParsedTree, ...]


def parse_text(text: str) -> ParsedModel:
    """Read LightGBM 4 model text; InputError carries every problem found."""
    header_text, _, rest = text.partition("\n\n")
    header, problems = _read_header(header_text)
    if problems:
        raise InputError("model text: the header is refused", problems)
    names = tuple(header["feature_names"].split(" "))
    blocks = _cut_blocks(rest, [int(size) for size in header["tree_sizes"].split(" ")])
    trees: list[ParsedTree] = []
    for number, block in enumerate(blocks):
        reader = _TreeReader(number, len(names))
        tree = reader.read(block)
        problems.extend(reader.problems)
        if tree is not None:
            trees.append(tree)
    if problems:
        raise InputError(f"model text: {len(problems)} problem(s) in its trees", problems)
    return ParsedModel(feature_names=names, trees=tuple(trees))


def _read_header(text: str) -> tuple[dict[str, str], list[ModelTextProblem]]:
    lines = text.split("\n")
    header, problems = _read_pairs(lines[1:], "header", (*_HEADER_KEYS, *_OPTIONAL_HEADER_KEYS), _HEADER_KEYS)
    if lines[0] != "tree":
        problems.insert(0, _header_problem("first line", "must be 'tree'", lines[0]))
    for key, expected in _FIXED_HEADER.items():
        if header.get(key, expected) != expected:
            rule = f"only {expected!r} is scored here (binary, one tree per iteration, sigmoid 1)"
            problems.append(_header_problem(key, rule, header[key]))
    if not problems:
        problems.extend(_shape_problems(header))
    return header, problems


def _shape_problems(header: Mapping[str, str]) -> Iterator[ModelTextProblem]:
    names = header["feature_names"].split(" ")
    if not 1 <= len(names) <= MAX_FEATURES or len(set(names)) != len(names) or "" in names:
        rule = f"must be 1 to {MAX_FEATURES} different names"
        yield _header_problem("feature_names", rule, header["feature_names"])
    if header["max_feature_idx"] != str(len(names) - 1):
        rule = f"must be {len(names) - 1}, one less than the number of feature_names"
        yield _header_problem("max_feature_idx", rule, header["max_feature_idx"])
    if len(header["feature_infos"].split(" ")) != len(names):
        yield _header_problem("feature_infos", f"must have {len(names)} entries", header["feature_infos"])
    sizes = header["tree_sizes"]
    if not _INTEGERS.fullmatch(sizes) or "-" in sizes or sizes.count(" ") >= MAX_TREES:
        yield _header_problem("tree_sizes", f"must be 1 to {MAX_TREES} byte counts", sizes)


def _header_problem(key: str, rule: str, value: str) -> ModelTextProblem:
    return ModelTextProblem(place="header", key=key, rule=rule, value=value)


def _read_pairs(
    lines: Sequence[str], place: str, allowed: Sequence[str], required: Sequence[str]
) -> tuple[dict[str, str], list[ModelTextProblem]]:
    pairs: dict[str, str] = {}
    problems = []
    for line in lines:
        key, equals, value = line.partition("=")
        if key not in allowed or not equals:
            rule = f"is not a key of a binary gradient-boosted model; known are {', '.join(allowed)}"
            problems.append(ModelTextProblem(place=place, key=key[:80], rule=rule, value=line))
        elif key in pairs:
            problems.append(ModelTextProblem(place=place, key=key, rule="must occur once", value=line))
        else:
            pairs[key] = value
    problems.extend(
        ModelTextProblem(place=place, key=key, rule="must be there", value="")
        for key in required
        if key not in pairs
    )
    return pairs, problems


def _cut_blocks(rest: str, sizes: Sequence[int]) -> Iterator[str]:
    end = sum(sizes)
    if not rest.startswith("end of trees\n", end):
        raise InputError(
            f"model text: 'end of trees' must follow the {len(sizes)} trees of tree_sizes after {end} bytes; "
            f"got {rest[end : end + 12]!r}"
        )
    for size in sizes:
        yield rest[:size]
        rest = rest[size:]


class _TreeReader:
    """Reads one tree; what is wrong with it is collected in ``problems``."""

    def __init__(self, number: int, n_features: int) -> None:
        self.number = number
        self.n_features = n_features
        self.problems: list[ModelTextProblem] = []

    def read(self, block: str) -> ParsedTree | None:
        """Return the sound tree, or None when there are problems."""
        pairs = self._pairs(block)
        if self.problems:
            return None
        n_leaves = self._integer("num_leaves", pairs["num_leaves"], 1, MAX_LEAVES)
        n_categorical = self._integer("num_cat", pairs["num_cat"], 0, MAX_LEAVES)
        if n_leaves is None or n_categorical is None:
            return None
        tree = self._arrays(pairs, n_leaves, n_categorical)
        if tree is not None:
            self._check_children(tree)
            self._check_decisions(tree, n_categorical)
        if tree is not None and not self.problems:
            self._check_counts(tree)
        return None if self.problems else tree

    def _pairs(self, block: str) -> dict[str, str]:
        lines = block.split("\n")
        if lines[0] != f"Tree={self.number}" or lines[-3:] != ["", "", ""]:
            self._add(
                "Tree", f"the block must open with Tree={self.number} and end with two empty lines", lines[0]
            )
            return {}
        categorical = any(line.startswith("num_cat=") and line != "num_cat=0" for line in lines)
        required = (*_TREE_KEYS, *_CATEGORY_KEYS) if categorical else _TREE_KEYS
        pairs, problems = _read_pairs(lines[1:-3], f"tree {self.number}", required, required)
        if pairs.get("is_linear", "0") != "0":
            problems = [self._problem("is_linear", "linear trees are not scored here", pairs["is_linear"])]
        self.problems.extend(problems)
        return pairs

    def _arrays(self, pairs: Mapping[str, str], n_leaves: int, n_categorical: int) -> ParsedTree | None:
        lengths = dict.fromkeys(_PER_SPLIT, n_leaves - 1) | {"leaf_value": n_leaves, "leaf_count": n_leaves}
        if n_categorical:
            lengths["cat_boundaries"] = n_categorical + 1
        read = {key: self._numbers(key, pairs[key], length) for key, length in lengths.items()}
        read.setdefault("cat_boundaries", np.zeros(1))
        read["cat_threshold"] = self._words(pairs, read["cat_boundaries"])
        if self.problems:
            return None
        threshold, leaf_value = read.pop("threshold"), read.pop("leaf_value")
        indices = {key: values.astype(np.int64) for key, values in read.items()}
        return ParsedTree(threshold=threshold, leaf_value=leaf_value, **indices)

    def _words(self, pairs: Mapping[str, str], boundaries: Numbers) -> Numbers:
        if "cat_threshold" not in pairs or self.problems:
            return np.zeros(0)
        if boundaries[0] != 0 or (np.diff(boundaries) < 1).any():
            self._add("cat_boundaries", "must start at 0 and ascend", pairs["cat_boundaries"])
            return np.zeros(0)
        words = self._numbers("cat_threshold", pairs["cat_threshold"], int(boundaries[-1]))
        if ((words < 0) | (words >= 2.0**32)).any():
            self._add("cat_threshold", "must hold unsigned 32-bit words", pairs["cat_threshold"])
        return words

    def _numbers(self, key: str, value: str, length: int) -> Numbers:
        pattern = _REAL_KEYS.get(key, _INTEGERS)
        tokens = value.split(" ") if value else []
        if len(tokens) != length or (length and not pattern.fullmatch(value)):
            kind = "numbers" if key in _REAL_KEYS else "integers"
            self._add(key, f"must be {length} {kind} separated by a space", value)
            return np.zeros(length)
        numbers = np.array([float(token) for token in tokens], dtype=np.float64)
        if np.isinf(numbers).any() and "inf" not in tokens and "-inf" not in tokens:
            self._add(key, "must be finite", value)
        return numbers

    def _integer(self, key: str, value: str, low: int, high: int) -> int | None:
        if _INTEGER.fullmatch(value) and low <= int(value) <= high:
            return int(value)
        self._add(key, f"must be an integer from {low} to {high}", value)
        return None

    def _check_children(self, tree: ParsedTree) -> None:
        """Every node but the root is the child of exactly one earlier node: no cycle, nothing unreachable."""
        n_leaves = tree.leaf_value.size
        children = np.concatenate([tree.left_child, tree.right_child])
        parents = np.tile(np.arange(n_leaves - 1), 2)
        expected = np.concatenate([np.arange(-n_leaves, 0), np.arange(1, n_leaves - 1)])
        if n_leaves > 1 and not np.array_equal(np.sort(children), expected):
            self._add("left_child, right_child", "must name every node but the root once", _shown(children))
        elif ((children >= 0) & (children <= parents)).any():
            self._add("left_child, right_child", "must come after their parent", _shown(children))

    def _check_decisions(self, tree: ParsedTree, n_categorical: int) -> None:
        if ((tree.split_feature < 0) | (tree.split_feature >= self.n_features)).any():
            rule = f"must be from 0 to {self.n_features - 1}"
            self._add("split_feature", rule, _shown(tree.split_feature))
        missing = tree.decision_type >> _MISSING_SHIFT
        if ((tree.decision_type < 0) | (missing > _MAX_MISSING_TYPE)).any():
            rule = f"must be from 0 to {_MAX_DECISION_TYPE}"
            self._add("decision_type", rule, _shown(tree.decision_type))
        slots = np.sort(tree.threshold[tree.decision_type & _CATEGORICAL_BIT == 1])
        if not np.array_equal(slots, np.arange(n_categorical)):
            rule = f"categorical splits must name each of the {n_categorical} category sets once"
            self._add("threshold", rule, _shown(slots))

    def _check_counts(self, tree: ParsedTree) -> None:
        """TreeSHAP divides by the counts, so they must be positive and add up."""
        counts = np.concatenate([tree.internal_count, tree.leaf_count[::-1]])
        if (counts < 1).any():
            self._add("internal_count, leaf_count", "must be at least 1", _shown(counts))
        elif not np.array_equal(counts[tree.left_child] + counts[tree.right_child], tree.internal_count):
            rule = "must be the sum over the two children"
            self._add("internal_count", rule, _shown(tree.internal_count))

    def _add(self, key: str, rule: str, value: str) -> None:
        self.problems.append(self._problem(key, rule, value))

    def _problem(self, key: str, rule: str, value: str) -> ModelTextProblem:
        return ModelTextProblem(place=f"tree {self.number}", key=key, rule=rule, value=value)


def _shown(values: npt.NDArray[np.float64] | npt.NDArray[np.int64]) -> str:
    return " ".join(str(value) for value in values.tolist())
