"""The points table: start plus one row per feature is the score, in words that a person can type."""

from pathlib import Path

import numpy as np
import pytest

from features.errors import InputError
from tests.builders_models import random_matrix, small_feature_set, write_small_model
from training.artifact import LoadedModel, load_model
from training.candidates.candidate import Additive
from training.candidates.rows import TrainingRows, columns_of
from training.scorecard import Scorecard, ScorecardRow, read_scorecard

N_ROWS = 400


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    """Return a scorecard as a loaded model directory."""
    matrix, random = random_matrix(N_ROWS), np.random.default_rng(0)
    chance = 0.2 + 0.3 * (np.nan_to_num(matrix[:, 0]) > 0.0) + 0.2 * (matrix[:, 3] == 2)
    rows = TrainingRows(
        matrix=matrix,
        label=(random.random(N_ROWS) < chance).astype(np.int8),
        weight=np.ones(N_ROWS),
        lead_index=np.arange(N_ROWS),
    )
    scorecard = Additive(most_bins=8, penalty=1.0, half_life=None)
    text = scorecard.fit(rows, columns_of(small_feature_set()), seed=0)
    folder = tmp_path_factory.mktemp("models") / "card"
    write_small_model(folder, model_text=text)
    return load_model(folder)


def row_of(card: Scorecard, name: str, value: float) -> ScorecardRow | None:
    """Return the row a person would pick for a value; None when the feature is not on the card."""
    own = [row for row in card.rows if row.feature.name == name]
    for row in own:
        if np.isnan(value) or row.is_missing:
            if np.isnan(value) and row.is_missing:
                return row
        elif row.feature.is_category:
            if int(value) in row.codes:
                return row
        elif (row.above is None or value > row.above) and (row.up_to is None or value <= row.up_to):
            return row
    assert not own, f"no row of {name} holds {value}"
    return None


def test_start_and_rows_add_up_to_the_score(model: LoadedModel) -> None:
    """Whoever adds by hand gets the model's points to 1e-9; no row takes points away."""
    card = read_scorecard(model)
    matrix = np.vstack([random_matrix(200, seed=1), np.full((1, 4), np.nan)])
    for values, points in zip(matrix, model.predict(matrix).points, strict=True):
        named = zip(model.feature_set.names, values.tolist(), strict=True)
        rows = [row_of(card, name, value) for name, value in named]
        assert card.start + sum(row.points for row in rows if row) == pytest.approx(points, abs=1e-9)
    assert min(row.points for row in card.rows) == 0.0


def test_a_card_speaks_both_languages(model: LoadedModel) -> None:
    """Ranges, levels and gaps have words; JSON carries both languages."""
    card = read_scorecard(model)
    english, german = (" ".join(" ".join(line) for line in card.lines(lang)) for lang in ("en", "de"))
    assert "above" in english
    assert "up to" in english
    assert "über" in german
    assert "bis" in german
    assert "industry 2" in german
    first = card.to_dict()["rows"]
    assert isinstance(first, list)
    assert {"feature_de", "feature_en", "value_de", "value_en", "points"} <= set(first[0])


def test_a_model_whose_features_act_together_has_no_card(tmp_path: Path) -> None:
    """The sentence says what to do instead."""
    write_small_model(tmp_path / "trees")
    with pytest.raises(InputError, match="train --evidence scorecard"):
        read_scorecard(load_model(tmp_path / "trees"))
