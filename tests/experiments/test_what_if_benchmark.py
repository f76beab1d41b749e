"""The benchmark of the what-if on little data: it counts before it measures; no time is asserted."""

import json
from pathlib import Path

import pytest

from experiments.benchmarks.what_if import made_up_past, main, refuse_wrong_counts
from sla.what_if import PastPeriod


def test_the_figures_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One JSON document, on standard output and in the file."""
    out = tmp_path / "what_if.json"
    main(["--leads", "500", "--out", str(out)])
    figures = json.loads(out.read_text(encoding="utf-8"))
    assert figures == json.loads(capsys.readouterr().out)
    assert figures["leads"] == 500
    assert figures["slider_ms"] > 0


def test_a_wrong_count_ends_it() -> None:
    """A benchmark of something that counts wrong is worth nothing."""
    probabilities, won = made_up_past(200, seed=1)
    other = PastPeriod(probabilities[:100], won[:100], weeks=1)
    with pytest.raises(ValueError, match="one by one"):
        refuse_wrong_counts(other, probabilities, won)
