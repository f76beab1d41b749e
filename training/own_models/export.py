"""A fitted model as LightGBM text, exactly or not at all. What cannot be said in trees is refused by name.

Exact: LightGBM's own boosters, and scikit-learn's HistGradientBoostingClassifier, whose trees ask the same
questions. The written text is read back and must give the model's own log-odds on every row of the table.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from features.errors import InputError
from features.files import disk_failures_named, draft_of
from training.own_models.table import TrainingTable
from training.own_models.tree_writer import WORD_BITS, Leaf, Split, Tree, write_trees
from training.points import FloatArray
from training.trees import parse_model_text, predict_margin

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingClassifier

LARGEST_DIFFERENCE = 1e-9
WHAT_TO_DO = (
    "fit a lightgbm.Booster, a lightgbm.LGBMClassifier or scikit-learn's HistGradientBoostingClassifier on "
    "the matrix of the table instead"
)
STRAIGHT_LINES = frozenset({"LogisticRegression", "LogisticRegressionCV", "SGDClassifier", "RidgeClassifier"})


def export_model(model: object, table: TrainingTable, out: Path | str) -> Path:
    """Write a binary classifier that was fitted on ``table.matrix`` as LightGBM text; return the file.

    InputError names the model's class and what to do when it cannot be written exactly.
    """
    text, margin = _text_and_margin(model, table)
    difference = np.abs(predict_margin(parse_model_text(text), table.matrix) - margin).max()
    if not difference <= LARGEST_DIFFERENCE:
        raise InputError(
            f"{_name(model)}: its text must give its own log-odds to {LARGEST_DIFFERENCE}, but is "
            f"{difference:g} off; was it fitted on the matrix of this table, with its categorical columns?"
        )
    path = Path(out)
    with disk_failures_named(path, "no model was written"), draft_of(path) as draft:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    return path


def _text_and_margin(model: object, table: TrainingTable) -> tuple[str, FloatArray]:
    writer = WRITERS.get((type(model).__module__.split(".")[0], _name(model)))
    if writer is not None:
        return writer(model, table.matrix)
    if _name(model) in STRAIGHT_LINES:
        raise InputError(
            f"{_name(model)}: is a straight line in each number, which trees cannot say exactly; {WHAT_TO_DO}"
        )
    raise InputError(f"{_name(model)}: there is no exact way to write it as LightGBM text; {WHAT_TO_DO}")


def _name(model: object) -> str:
    return type(model).__name__


def _of_booster(model: Any, matrix: FloatArray) -> tuple[str, FloatArray]:
    rounds = model.best_iteration if model.best_iteration > 0 else None
    margin = np.asarray(model.predict(matrix, raw_score=True, num_iteration=rounds), dtype=np.float64)
    return str(model.model_to_string(num_iteration=rounds)), margin


def _of_classifier(model: Any, matrix: FloatArray) -> tuple[str, FloatArray]:
    return _of_booster(model.booster_, matrix)


def _of_hist_gradient(model: "HistGradientBoostingClassifier", matrix: FloatArray) -> tuple[str, FloatArray]:
    """Write scikit-learn's trees; its first columns are the categories, coded anew by an encoder."""
    source, categories = _columns(model, matrix.shape[1])
    trees = [_tree(iteration, source, categories) for iteration in model._predictors]  # noqa: SLF001
    first = float(np.ravel(model._baseline_prediction)[0])  # noqa: SLF001
    text = write_trees([_raised(trees[0], first), *trees[1:]], n_features=matrix.shape[1])
    return text, np.asarray(model.decision_function(matrix), dtype=np.float64)


def _columns(model: Any, n_columns: int) -> tuple[list[int], dict[int, list[int]]]:
    """Return which column of the matrix each inner column is, and the codes of each inner category."""
    if model._preprocessor is None:  # noqa: SLF001
        return list(range(n_columns)), {}
    coded = np.flatnonzero(model.is_categorical_)
    encoder = model._preprocessor.named_transformers_["encoder"]  # noqa: SLF001
    codes = {
        inner: [int(each) for each in known if not np.isnan(each)]
        for inner, known in enumerate(encoder.categories_)
    }
    return [*coded.tolist(), *np.flatnonzero(~model.is_categorical_).tolist()], codes


def _tree(iteration: Any, source: list[int], categories: dict[int, list[int]]) -> Tree:
    """Return the tree of one iteration; with two classes there is one."""
    (predictor,) = iteration

    def grow(number: int) -> Tree:
        node = predictor.nodes[number]
        if node["is_leaf"]:
            return Leaf(value=float(node["value"]), count=int(node["count"]))
        inner, children = int(node["feature_idx"]), (grow(node["left"]), grow(node["right"]))
        if node["is_categorical"]:
            bits = predictor.raw_left_cat_bitsets[node["bitset_idx"]]
            return _by_category(node, source[inner], categories[inner], bits, *children)
        return Split(
            feature=source[inner],
            left=children[0],
            right=children[1],
            threshold=float(node["num_threshold"]),
            missing_left=bool(node["missing_go_to_left"]),
        )

    return grow(0)


def _by_category(node: Any, feature: int, codes: list[int], bits: Any, left: Tree, right: Tree) -> Split:
    """Return a split by category; `bits` says which of the known `codes` go left.

    Missing and new values may go left here and always go right in LightGBM: then the others are asked for.
    """
    goes_left = {
        code for place, code in enumerate(codes) if bits[place // WORD_BITS] >> place % WORD_BITS & 1
    }
    if not node["missing_go_to_left"]:
        return Split(feature=feature, left=left, right=right, codes=tuple(sorted(goes_left)))
    return Split(feature=feature, left=right, right=left, codes=tuple(sorted(set(codes) - goes_left)))


def _raised(tree: Tree, by: float) -> Tree:
    if isinstance(tree, Leaf):
        return Leaf(value=by + tree.value, count=tree.count)
    return Split(
        feature=tree.feature,
        left=_raised(tree.left, by),
        right=_raised(tree.right, by),
        threshold=tree.threshold,
        codes=tree.codes,
        missing_left=tree.missing_left,
    )


WRITERS: dict[tuple[str, str], Callable[[Any, FloatArray], tuple[str, FloatArray]]] = {
    ("lightgbm", "Booster"): _of_booster,
    ("lightgbm", "LGBMClassifier"): _of_classifier,
    ("sklearn", "HistGradientBoostingClassifier"): _of_hist_gradient,
}
