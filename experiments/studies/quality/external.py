"""Peers that need a Python of their own: FLAML and AutoGluon, each run as a script by that Python."""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

FloatArray = npt.NDArray[np.float64]
HERE = Path(__file__).parent
SCRIPTS = {"flaml": HERE / "run_flaml.py", "autogluon": HERE / "run_autogluon.py"}
LABEL = "leadpact_label"


class External:
    """A peer that another Python runs: rows go and probabilities come back as Parquet."""

    def __init__(self, name: str, python: Path) -> None:
        self.name, self.python = name, python

    def __call__(
        self, frame: pd.DataFrame, label: npt.NDArray[np.int64], scored: pd.DataFrame, seconds: float
    ) -> FloatArray:
        """Fit for that many seconds and return probabilities (n,); RuntimeError tells how it failed."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            frame.assign(**{LABEL: label}).to_parquet(folder / "train.parquet")
            scored.to_parquet(folder / "test.parquet")
            command = [str(self.python), str(SCRIPTS[self.name]), str(folder), str(seconds)]
            done = subprocess.run(command, stdout=sys.stderr, check=False)  # noqa: S603 - the user named it
            if done.returncode != 0:
                raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}")
            return pd.read_parquet(folder / "probability.parquet")["probability"].to_numpy(np.float64)
