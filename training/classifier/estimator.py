"""`LeadClassifier`: the whole recipe as a scikit-learn classifier.

What it decides: how a data frame and its labels become rows, and what is refused. What is tried and chosen is
`training.candidates`'.
"""

import time
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    _check_sample_weight,
    check_consistent_length,
    check_is_fitted,
    column_or_1d,
    validate_data,
)

from training.candidates.learn import Learned, learn
from training.candidates.rows import TrainingRows
from training.classifier.frame import check_columns, check_numbers, learn_codes
from training.classifier.reading import LabelsError, check_budget, read_groups, read_order
from training.points import FloatArray
from training.trees import TreeEnsemble, parse_model_text, predict_margin

EVEN = 0.5


class LeadClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Calibrated chances from text, numbers, booleans and gaps, chosen forward in time.

    Parameters
    ----------
    budget_seconds : float, default 60
        Bounds the search. Its plan is fixed and usually ends long before; when the budget cuts it,
        ``search_cut_short_`` is True, and only then can the model depend on how fast the machine is.
    random_state : int, default 0
        Same data and seed, same model.

    Attributes
    ----------
    classes_ : (2,) the two labels, ascending; the second is the win.
    learned_ : what was tried, chosen and calibrated.
    search_cut_short_ : bool.
    evidence_ : "scorecard" or "model".
    """

    def __init__(self, budget_seconds: float = 60.0, random_state: int = 0) -> None:
        self.budget_seconds = budget_seconds
        self.random_state = random_state

    def fit(
        self,
        X: Any,
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        *,
        order: npt.ArrayLike | None = None,
        groups: npt.ArrayLike | None = None,
    ) -> Self:
        """Search, fit and calibrate.

        Parameters
        ----------
        X : data frame (n, n_columns) of text, numbers, booleans and gaps; or an array of numbers.
        y : (n,) two different labels; the greater one is the win.
        sample_weight : (n,) at least 0; rows of weight 0 do not count.
        order : (n,) times or ranks, older first; without it rows are exchangeable.
        groups : (n,) which lead a row belongs to; its rows stay together in every fold.
        """
        started = time.monotonic()
        check_budget(self.budget_seconds)
        if y is None:
            raise LabelsError("requires y to be passed, but the target y is None")
        frame = self._frame(X, reset=True)
        labels = self._labels(y)
        check_consistent_length(frame, labels)
        weight = _check_sample_weight(sample_weight, frame, dtype=np.float64, ensure_non_negative=True)
        self.codes_ = learn_codes(frame)
        check_numbers(frame)
        rows = TrainingRows(
            matrix=self.codes_.encode(frame),
            label=labels,
            weight=weight,
            lead_index=read_groups(groups, len(labels)),
            position=read_order(order, len(labels)),
        ).where(weight > 0.0)
        if not rows.has_both_classes:
            raise LabelsError("y must hold both labels among the rows of weight above 0; got one class")
        self.learned_: Learned = learn(
            rows,
            self.codes_.described,
            seed=int(self.random_state),
            seconds_left=lambda: self.budget_seconds - (time.monotonic() - started),
        )
        self.search_cut_short_ = self.learned_.cut_short
        self.evidence_ = self.learned_.evidence
        self.ensemble_: TreeEnsemble = parse_model_text(self.learned_.model_text)
        return self

    def predict_proba(self, X: Any) -> FloatArray:
        """Return calibrated probabilities of both labels, (n, 2)."""
        margin = self._margin(X)
        won = self.learned_.calibration.apply(margin)
        return np.column_stack([1.0 - won, won])

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Return the likelier label, (n,)."""
        likelier = (self.predict_proba(X)[:, 1] > EVEN).astype(np.int64)
        chosen: npt.NDArray[Any] = self.classes_[likelier]
        return chosen

    def predict_interval(self, X: Any) -> FloatArray:
        """Return the lower and the upper chance of a win, (n, 2): inductive Venn-Abers probabilities."""
        margin = self._margin(X)
        return np.column_stack(self.learned_.calibration.interval(margin))

    def __sklearn_tags__(self) -> Any:
        """Say what scikit-learn may expect: two classes, gaps and text."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags

    def _margin(self, X: Any) -> FloatArray:
        check_is_fitted(self)
        frame = self._frame(X, reset=False)
        check_numbers(frame)
        return predict_margin(self.ensemble_, self.codes_.encode(frame))

    def _frame(self, X: Any, *, reset: bool) -> pd.DataFrame:
        """Return X as a frame; an array goes through scikit-learn's own checks."""
        if isinstance(X, pd.DataFrame):
            check_columns(X)
            validate_data(self, X, reset=reset, skip_check_array=True)
            return X
        values = validate_data(self, X, reset=reset, dtype="numeric", ensure_all_finite="allow-nan")
        return pd.DataFrame(values)

    def _labels(self, y: npt.ArrayLike) -> npt.NDArray[np.int8]:
        """Return 1 where the greater of two labels stands, and keep both."""
        labels = column_or_1d(y, warn=True)
        if pd.isna(labels).any():
            raise LabelsError("y must hold a label for every row; it contains NaN or None")
        check_classification_targets(labels)
        classes, code = np.unique(labels, return_inverse=True)
        if len(classes) > 2:
            raise LabelsError(
                "Only binary classification is supported: y must hold two labels such as 0 and 1; "
                f"got {len(classes)}: {', '.join(map(repr, classes[:5].tolist()))}"
            )
        if len(classes) < 2:
            raise LabelsError(
                f"y must hold both labels, won and not won; got one class: {classes.tolist()[0]!r}"
            )
        self.classes_ = classes
        return code.astype(np.int8)
