"""The monitoring study on two seeds: quiet without change, awake after one; its file is what it says."""

import json

import pytest

from experiments.studies.monitoring.__main__ import RESULTS, read_seen, summarise
from experiments.studies.monitoring.changes import INPUT_CHANGES
from experiments.studies.monitoring.trial import run_seed

SEEDS = (1, 2)


@pytest.mark.slow
def test_two_seeds_are_quiet_and_see_every_change_of_inputs() -> None:
    """At most one of six looks without change says something, and each change of inputs is a warning."""
    summary = summarise({str(seed): run_seed(seed) for seed in SEEDS})
    assert summary["no_change"]["looks"] == 6
    assert summary["no_change"]["with_a_finding"] <= 1
    for case in INPUT_CHANGES:
        assert summary[case]["with_a_warning"] == len(SEEDS), case


def test_the_committed_answer_is_summed_up_rightly() -> None:
    """50 seeds; the summary follows from the looks; quiet in at least 95 %, awake within two weeks."""
    answer = json.loads(RESULTS.read_text(encoding="utf-8"))
    said = {seed: [read_seen(row) for row in looks] for seed, looks in answer["seeds"].items()}
    assert len(said) == 50
    assert summarise(said) == answer["summary"]
    quiet = answer["summary"]["no_change"]
    assert quiet["with_a_finding"] <= 0.05 * quiet["looks"]
    assert all(answer["summary"][case]["with_a_warning"] == 50 for case in INPUT_CHANGES)
