"""The same trees as MLflow serves them (models-from-code): probability and LightGBM's own contributions."""

from typing import Any

import lightgbm
import numpy as np
import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext


class Contributions(PythonModel):
    """Loads the text of the trees; gives one row of numbers per row of features."""

    booster: lightgbm.Booster

    def load_context(self, context: PythonModelContext) -> None:
        """Load the trees."""
        self.booster = lightgbm.Booster(model_file=context.artifacts["trees"])

    def predict(
        self,
        context: PythonModelContext,  # noqa: ARG002 - MLflow's signature
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,  # noqa: ARG002 - MLflow's signature
    ) -> pd.DataFrame:
        """Return contributions and their sum, the margin."""
        matrix = model_input.to_numpy(dtype=np.float64)
        shares = np.asarray(self.booster.predict(matrix, pred_contrib=True, num_threads=1))
        return pd.DataFrame(np.column_stack((shares, shares.sum(axis=1))))


set_model(Contributions())
