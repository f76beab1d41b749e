"""Champion and challenger on the same newest leads, which neither was trained on. gates.py judges."""

from dataclasses import dataclass
from pathlib import Path

from features.build import Points, build_features
from features.definitions import FeatureKind
from features.errors import InputError
from features.personas import PersonaRules
from features.tables import CanonicalTables
from training.artifact import LoadedModel, Manifest, load_model
from training.evaluation import (
    Evaluation,
    Interval,
    ScoredPoints,
    evaluate,
    paired_log_loss_difference,
    scored_points,
)
from training.groups import Slicing, persona_slicing, slicings_of
from training.influence import Influence, influences_of
from training.labels import Labels
from training.points import FloatArray
from training.run_facts import METRIC_PRIOR, METRIC_TEST_FROM
from training.splits import SplitKind, label_part, newest_part


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JudgedModel:
    """A registered model, its probabilities of the newest snapshots (n,), and how it did."""

    version: str
    folder: Path
    model: LoadedModel
    probability: FloatArray
    evaluation: Evaluation
    influences: tuple[Influence, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """``difference`` is the challenger's log loss minus the champion's; None without two models."""

    challenger: JudgedModel | None
    champion: JudgedModel | None
    difference: Interval | None
    points: Points
    """The snapshots both were judged on, those with an unknown outcome included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """A registered version and its pulled model directory."""

    version: str
    folder: Path


def compare(
    tables: CanonicalTables,
    *,
    challenger: Contestant | None,
    champion: Contestant | None,
    seed: int,
    personas: tuple[PersonaRules, ...] = (),
) -> Comparison:
    """Judge one or two models; InputError when they cannot be judged on the same leads.

    Both are judged in the same slices: the attributes of the first, and the agreed `personas`.
    """
    present = [each for each in (challenger, champion) if each is not None]
    models = [load_model(each.folder) for each in present]
    points, labels = _never_trained_on(tables, [model.manifest for model in models])
    matrices = [build_features(model.feature_set, tables, points) for model in models]
    slicings = _slicings(tables, points, personas, slicings_of(models[0].feature_set, matrices[0]))
    known = tuple(slicing.where(labels.known) for slicing in slicings)
    scored = [_score(model, matrix, points, labels) for model, matrix in zip(models, matrices, strict=True)]
    judged = {
        contestant: JudgedModel(
            version=contestant.version,
            folder=contestant.folder,
            model=model,
            probability=model.predict(matrix).probability,
            evaluation=evaluate(rows, seed=seed, slicings=known),
            influences=influences_of(model, matrix),
        )
        for contestant, model, matrix, rows in zip(present, models, matrices, scored, strict=True)
    }
    both = challenger is not None and champion is not None
    return Comparison(
        challenger=None if challenger is None else judged[challenger],
        champion=None if champion is None else judged[champion],
        difference=paired_log_loss_difference(scored[0], scored[1], seed=seed) if both else None,
        points=points,
    )


def incomparable(challenger: Manifest, champion: Manifest) -> str | None:
    """Return why two models cannot be judged on the same leads; None when they can."""
    asked = [(each.horizon_days, each.split) for each in (challenger, champion)]
    if asked[0] == asked[1]:
        return None
    first, second = (f"{horizon_days} days, split {split}" for horizon_days, split in asked)
    return f"the models answer different questions: challenger {first}; champion {second}"


def _never_trained_on(tables: CanonicalTables, manifests: list[Manifest]) -> tuple[Points, Labels]:
    """Return the snapshots newer than what any of the models has seen, with labels as known today."""
    first = manifests[0]
    why_not = incomparable(*manifests) if len(manifests) > 1 else None
    if why_not is not None:
        raise InputError(why_not)
    test_from = max(int(_number(each, METRIC_TEST_FROM)) for each in manifests)
    part = newest_part(
        tables, kind=SplitKind(first.split), test_from=test_from, horizon_days=first.horizon_days
    )
    points, labels = label_part(tables, part, horizon_days=first.horizon_days)
    if not labels.known.any():
        raise InputError(
            "no lead of the history with a known outcome is newer than what the models were trained on; "
            "import a newer export"
        )
    return points, labels


def _slicings(
    tables: CanonicalTables,
    points: Points,
    personas: tuple[PersonaRules, ...],
    of_model: tuple[Slicing, ...],
) -> tuple[Slicing, ...]:
    """Put the personas agreed today in the place of those the model was trained with."""
    agreed = persona_slicing(personas, tables, points)
    own = (each for each in of_model if not (agreed and each.feature.kind is FeatureKind.PERSONA))
    return (*agreed, *own)


def _score(model: LoadedModel, matrix: FloatArray, points: Points, labels: Labels) -> ScoredPoints:
    return scored_points(
        points.lead_index,
        points.as_of_us,
        labels,
        model.predict(matrix).probability,
        prior_probability=_number(model.manifest, METRIC_PRIOR),
    )


def _number(manifest: Manifest, name: str) -> float:
    numbers = dict(manifest.metrics)
    if name not in numbers:
        raise InputError(f"model version {manifest.version!r}: its manifest must have the metric {name}")
    return numbers[name]
