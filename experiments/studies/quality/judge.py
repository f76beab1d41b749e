"""How a model did on a task, and whether LeadPact reached what was asked of it."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from experiments.studies.quality.peers import FloatArray, IntArray, Peer
from experiments.studies.quality.tasks import Task
from training.metrics import area_under_roc, equal_mass_bins, expected_calibration_error, log_losses

LEAST_MEAN_SKILL = 0.190
MOST_WORSE = 0.02
MOST_ECE_ABOVE = 0.01
MOST_FIT_SECONDS = 300.0
ECE_BINS = 10
OURS = "leadpact"

GIVEN_BEST = {
    "xeducation": 0.4054,
    "bank_marketing": 0.5230,
    "bank_rolling": 0.3965,
    "olist_funnel": 0.3188,
    "bpic2012": 0.5950,
    "saas_offers": 0.5720,
}
"""The least log loss any peer reached on each task when the tasks were set: the table beside the data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One model on one task; the splits' rows are pooled, times are the longest single fit and scoring."""

    task: str
    model: str
    log_loss: float
    log_loss_error: float
    prior_log_loss: float
    auc: float
    ece: float
    fit_seconds: float

    @property
    def skill(self) -> float:
        """1 - log loss / log loss of the prior."""
        return 1.0 - self.log_loss / self.prior_log_loss


def measure(task: Task, name: str, peer: Peer, *, seconds: float) -> Result:
    """Fit on every split's training rows, score its test rows, and judge them all together."""
    probabilities, priors, longest = [], [], 0.0
    for train, test in task.splits:
        frame, label = task.frame.iloc[train].reset_index(drop=True), task.label[train]
        started = time.perf_counter()
        scored = task.frame.iloc[test].reset_index(drop=True)
        probabilities.append(peer(frame, label, scored, seconds))
        longest = max(longest, time.perf_counter() - started)
        priors.append(np.full(len(test), label.mean()))
    tested = np.concatenate([test for _, test in task.splits])
    return _result(
        task, name, task.label[tested], np.concatenate(probabilities), np.concatenate(priors), longest
    )


def _result(
    task: Task, name: str, label: IntArray, probability: FloatArray, prior: FloatArray, longest: float
) -> Result:
    losses, weight = log_losses(label, probability), np.ones(len(label))
    bins = equal_mass_bins(probability, weight, n_bins=ECE_BINS)
    return Result(
        task=task.name,
        model=name,
        log_loss=round(float(losses.mean()), 5),
        log_loss_error=round(float(losses.std() / np.sqrt(len(losses))), 5),
        prior_log_loss=round(float(log_losses(label, prior).mean()), 5),
        auc=round(float(area_under_roc(label, probability, weight)), 4),
        ece=round(float(expected_calibration_error(label, probability, weight, bins=bins)), 4),
        fit_seconds=round(longest, 1),
    )


def verdict(results: Sequence[Result]) -> dict[str, object]:
    """Return every figure that was asked for, what it is, and whether it is reached."""
    ours = {each.task: each for each in results if each.model == OURS}
    worse = {task: each.log_loss / best_log_loss(results, task) - 1.0 for task, each in ours.items()}
    above = {task: each.ece - best_ece(results, task) for task, each in ours.items()}
    mean_skill = float(np.mean([each.skill for each in ours.values()])) if ours else float("nan")
    longest = max((each.fit_seconds for each in ours.values()), default=float("nan"))
    return {
        "tasks": len(ours),
        "mean_skill": _figure(mean_skill, at_least=LEAST_MEAN_SKILL),
        "log_loss_above_best_peer": {task: _figure(each, at_most=MOST_WORSE) for task, each in worse.items()},
        "ece_above_best_peer": {task: _figure(each, at_most=MOST_ECE_ABOVE) for task, each in above.items()},
        "longest_fit_seconds": _figure(longest, at_most=MOST_FIT_SECONDS),
    }


def best_log_loss(results: Sequence[Result], task: str) -> float:
    """Return the least log loss of any peer on a task, measured here or given with the data."""
    here = [each.log_loss for each in results if each.task == task and each.model != OURS]
    return min([*here, GIVEN_BEST.get(task, np.inf)])


def best_ece(results: Sequence[Result], task: str) -> float:
    """Return the least calibration error of the peers measured here that know more than the base rate."""
    here = [each.ece for each in results if each.task == task and each.model not in (OURS, "prior")]
    return min(here, default=float("nan"))


def _figure(
    value: float, *, at_least: float | None = None, at_most: float | None = None
) -> Mapping[str, object]:
    reached = (at_least is None or value >= at_least) and (at_most is None or value <= at_most)
    goal = {"at_least": at_least} if at_most is None else {"at_most": at_most}
    return {"value": round(value, 4), **goal, "reached": bool(reached)}
