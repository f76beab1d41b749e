"""The strict reader: other models are refused by name, damaged text by place; what gets through is sound."""

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import InputError
from tests.builders_models import labels_for, random_matrix, small_model_text, train_booster
from training.tree_kernel import LEAF
from training.trees import TreeEnsemble, parse_model_text, predict_margin, tree_shap

N_TREES = 5
TEXT = small_model_text(n_trees=N_TREES)
N_DAMAGED = 400


def _refusals(text: str) -> str:
    with pytest.raises(InputError, match="model text") as refusal:
        parse_model_text(text)
    return "\n".join([str(refusal.value), *(problem.text() for problem in refusal.value.problems)])


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        pytest.param({"sigmoid": 2.0}, "'binary sigmoid:2'", id="another-sigmoid"),
        pytest.param({"objective": "regression"}, "'regression'", id="regression"),
        pytest.param({"objective": "cross_entropy"}, "'cross_entropy'", id="cross-entropy"),
        pytest.param({"objective": "multiclass", "num_class": 2}, "num_class", id="multiclass"),
        pytest.param({"linear_tree": True}, "linear trees are not scored here", id="linear-trees"),
        pytest.param(
            {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5},
            "average_output",
            id="random-forest",
        ),
    ],
)
def test_other_kinds_of_model_are_refused_by_name(parameters: dict[str, Any], expected: str) -> None:
    """The refusal names what the model is."""
    matrix = np.nan_to_num(random_matrix())
    assert expected in _refusals(train_booster(matrix, labels_for(matrix), **parameters).model_to_string())


@pytest.mark.parametrize(
    ("pattern", "damage", "expected"),
    [
        pytest.param("^tree\n", "trees\n", "header, first line", id="first-line"),
        pytest.param("version=v4", "version=v3", "header, version", id="version"),
        pytest.param("max_feature_idx=3", "max_feature_idx=2", "header, max_feature_idx", id="feature-count"),
        pytest.param("num_class=1\n", "num_class=1\nnum_class=1\n", "must occur once", id="key-twice"),
        pytest.param("label_index=0\n", "", "label_index: must be there", id="key-missing"),
        pytest.param("tree_sizes=", "tree_sizes=1", "'end of trees' must follow", id="sizes"),
        pytest.param("Tree=1\n", "Tree=7\n", "tree 1, Tree", id="tree-number"),
        pytest.param(
            "left_child=1", "left_child=0", "must name every node but the root once", id="child-twice"
        ),
        pytest.param(
            "left_child=1", "left_child=9", "must name every node but the root once", id="child-outside"
        ),
        pytest.param(
            "leaf_value=.", "leaf_value=x", "tree 0, leaf_value: must be 7 numbers", id="not-a-number"
        ),
        pytest.param(r"(leaf_count=\d+) ", r"\1_", "must be 7 integers", id="underscore"),
        pytest.param(r"(internal_count=\d+) \d", r"\1 9", "sum over the two children", id="counts"),
        pytest.param(
            "cat_boundaries=0 1", "cat_boundaries=0 0", "cat_boundaries: must start at 0", id="empty-set"
        ),
        pytest.param("cat_boundaries=0 1", "cat_boundaries=0 2", "must be 2 integers", id="words"),
        pytest.param(r"cat_threshold=\d\d", "cat_threshold=-1", "unsigned 32-bit words", id="negative-word"),
        pytest.param("num_cat=1", "num_cat=2", "cat_boundaries: must be 3 integers", id="category-sets"),
        pytest.param("num_cat=1", "num_cat=0", "is not a key", id="no-category-sets"),
        pytest.param(
            "split_feature=.", "split_feature=4", "split_feature: must be from 0 to 3", id="feature"
        ),
    ],
)
def test_damage_is_named_by_place_and_key(pattern: str, damage: str, expected: str) -> None:
    """Every rule says where it was broken."""
    damaged, hits = re.subn(pattern, damage, TEXT, count=1)
    assert hits == 1
    assert expected in _refusals(damaged)


def test_all_damaged_trees_are_reported_at_once() -> None:
    """Five trees with a fault each give five problems."""
    refusals = _refusals(TEXT.replace("num_cat=", "num_cut="))
    assert all(f"tree {number}, num_cut" in refusals for number in range(N_TREES))


def _assert_sound(ensemble: TreeEnsemble) -> None:
    nodes = ensemble.nodes
    assert np.isfinite(nodes.threshold[nodes.feature == LEAF]).all()
    assert nodes.feature.min() >= LEAF
    assert nodes.feature.max() < ensemble.n_features
    for start, end in zip(nodes.tree_start[:-1], nodes.tree_start[1:], strict=True):
        inner = [node for node in range(start, end) if nodes.feature[node] != LEAF]
        children = [child for node in inner for child in (node + 1, int(nodes.right[node]))]
        assert sorted(children) == list(range(start + 1, end))
    slots = nodes.threshold[nodes.flags & 1 == 1]
    assert all(0 <= slot < nodes.category_start.size - 1 for slot in slots)
    assert nodes.category_start[-1] == nodes.category_words.size


@st.composite
def damaged_texts(draw: st.DrawFn) -> str:
    """Text with one to three of: a character replaced, inserted or removed; a token swapped; a line lost."""
    text = TEXT[: TEXT.index("end of trees") + 13]
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, max(len(text) - 1, 0)))
        kind = draw(st.sampled_from(["replace", "insert", "remove", "token", "line", "cut"]))
        piece = draw(
            st.sampled_from([*"0123456789-. e\n=_", "inf", "nan", "999999", "1e999", "-1", "\0", "é"])
        )
        if kind == "replace":
            text = text[:place] + piece + text[place + len(piece) :]
        elif kind == "insert":
            text = text[:place] + piece + text[place:]
        elif kind == "remove":
            text = text[:place] + text[place + draw(st.integers(1, 30)) :]
        elif kind == "token":
            tokens = re.split(r"([ =\n])", text)
            number = draw(st.integers(0, (len(tokens) - 1) // 2)) * 2
            text = "".join([*tokens[:number], piece, *tokens[number + 1 :]])
        elif kind == "line":
            lines = text.split("\n")
            del lines[draw(st.integers(0, len(lines) - 1))]
            text = "\n".join(lines)
        else:
            text = text[:place] or "tree"
    return text


@settings(max_examples=N_DAMAGED)
@given(text=damaged_texts())
def test_damaged_text_is_refused_or_sound(text: str) -> None:
    """Whatever is read is a set of proper trees that score every row; everything else is an InputError."""
    try:
        ensemble = parse_model_text(text)
    except InputError:
        return
    _assert_sound(ensemble)
    rows = np.zeros((3, ensemble.n_features))
    rows[1:] = [[np.nan], [1e9]]
    assert predict_margin(ensemble, rows).shape == (3,)
    assert tree_shap(ensemble, rows).shape == (3, ensemble.n_features + 1)


def test_same_length_damage_is_refused_or_sound() -> None:
    """Swapping any digit of the trees keeps all lengths, so it reaches the structural checks."""
    start, end = TEXT.index("Tree=0"), TEXT.index("end of trees")
    digits = [place for place in range(start, end) if TEXT[place].isdigit()]
    random = np.random.default_rng(0)
    refused = 0
    for place in random.choice(digits, 300, replace=False):
        digit = str((int(TEXT[place]) + random.integers(1, 10)) % 10)
        try:
            _assert_sound(parse_model_text(TEXT[:place] + digit + TEXT[place + 1 :]))
        except InputError:
            refused += 1
    assert 0 < refused < 300
