"""Run by a Python that has AutoGluon: train.parquet and test.parquet of a folder -> probability.parquet."""

import sys
import tempfile
from pathlib import Path

import pandas as pd

LABEL = "leadpact_label"


def main(folder: Path, seconds: float) -> None:
    """Fit AutoGluon's medium quality preset for that many seconds on one core, by log loss."""
    from autogluon.tabular import TabularPredictor

    train, test = pd.read_parquet(folder / "train.parquet"), pd.read_parquet(folder / "test.parquet")
    predictor = TabularPredictor(label=LABEL, eval_metric="log_loss", path=tempfile.mkdtemp(dir=folder))
    predictor.fit(train, time_limit=seconds, presets="medium_quality", num_cpus=1)
    probability = predictor.predict_proba(test)[1].to_numpy()
    pd.DataFrame({"probability": probability}).to_parquet(folder / "probability.parquet")


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
