"""The registered model as MLflow loads it (models-from-code): the model directory behind MLflow's face.

Input: the readable feature table, one column per feature, categories as text. Output: probability, its
interval and the unrounded points, the same numbers as the service gives.
"""

from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from features.encode import encode_table
from training.artifact import LoadedModel, load_model


class LeadConversionModel(PythonModel):
    """Loads the model directory among the artifacts and scores feature tables."""

    model: LoadedModel

    def load_context(self, context: PythonModelContext) -> None:
        """Verify and load the model directory; damaged files are refused."""
        self.model = load_model(Path(context.artifacts["model_directory"]))

    def predict(
        self,
        context: PythonModelContext,  # noqa: ARG002 - MLflow's signature
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,  # noqa: ARG002 - MLflow's signature
    ) -> pd.DataFrame:
        """Score a feature table, one row per lead and instant."""
        columns = {str(name): values for name, values in model_input.items()}
        prediction = self.model.predict(encode_table(self.model.feature_set, columns))
        return pd.DataFrame(
            {
                "probability": prediction.probability,
                "probability_low": prediction.low,
                "probability_high": prediction.high,
                "points": prediction.points,
            }
        )


set_model(LeadConversionModel())
