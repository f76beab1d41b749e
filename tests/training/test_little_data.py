"""Real tasks thinned to few outcomes: never worse than the base rate beyond noise, and honest about it."""

import sys
from pathlib import Path

import numpy as np
import pytest

from experiments.studies.quality.tasks import load_tasks
from training import LeadClassifier
from training.metrics import log_losses

OUTCOMES = (20, 40, 80, 160, 500)


@pytest.mark.slow
@pytest.mark.parametrize("task_name", ["xeducation", "olist_funnel", "saas_offers"])
def test_few_wins_never_do_harm(real_data: Path, task_name: str) -> None:
    """Thinned to the newest 20 … 500 of the rarer outcome: not worse than their base rate beyond noise.

    Noise is two standard errors. With twenty scores rest on a scorecard; intervals are wider than with five
    hundred.
    """
    task = next(load_tasks(real_data, [task_name]))
    sys.modules.pop("leadpact_quality_tasks", None)
    train, test = task.splits[0]
    widths = []
    for wins in OUTCOMES:
        rarer = task.label[train] == (task.label[train].mean() < 0.5)
        kept = train[np.cumsum(rarer[::-1])[::-1] <= wins]
        frame, label = task.frame.iloc[kept].reset_index(drop=True), task.label[kept]
        model = LeadClassifier().fit(frame, label, order=np.arange(len(kept)))
        scored = task.frame.iloc[test].reset_index(drop=True)
        chance = model.predict_proba(scored)[:, 1]
        prior = np.full(len(test), label.mean())
        excess = log_losses(task.label[test], chance) - log_losses(task.label[test], prior)
        assert excess.mean() < 2.0 * excess.std() / np.sqrt(len(test)), wins
        widths.append(float(np.diff(model.predict_interval(scored), axis=1).mean()))
        if wins == OUTCOMES[0]:
            assert model.evidence_ == "scorecard"
    assert widths[0] > widths[-1]
