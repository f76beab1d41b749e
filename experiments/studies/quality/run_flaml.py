"""Run by a Python that has FLAML: train.parquet and test.parquet of a folder -> probability.parquet."""

import sys
from pathlib import Path

import pandas as pd

LABEL = "leadpact_label"


def main(folder: Path, seconds: float) -> None:
    """Fit FLAML's AutoML for that many seconds on one core, by log loss."""
    from flaml import AutoML

    train, test = pd.read_parquet(folder / "train.parquet"), pd.read_parquet(folder / "test.parquet")
    texts = [name for name in test if test[name].dtype == object]
    train, test = (each.astype(dict.fromkeys(texts, "category")) for each in (train, test))
    model = AutoML()
    model.fit(
        train.drop(columns=LABEL), train[LABEL], task="classification", metric="log_loss",
        time_budget=seconds, n_jobs=1, seed=0, verbose=1,
    )  # fmt: skip
    probability = model.predict_proba(test)[:, 1]
    pd.DataFrame({"probability": probability}).to_parquet(folder / "probability.parquet")


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
