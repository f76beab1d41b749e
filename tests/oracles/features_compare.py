"""When two matrices of features are equal: to the last bit, decayed sums to the step of fixed point."""

import numpy as np
import numpy.typing as npt

from features.definitions import Feature, FeatureKind

ENGAGEMENT_STEP = 2e-6
"""What one activity may add to the distance from the real-valued sum: age and weight are fixed point."""

MOST_ACTIVITIES = 200


def assert_equal_features(
    features: tuple[Feature, ...], found: npt.NDArray[np.float64], expected: npt.NDArray[np.float64]
) -> None:
    """Compare two matrices (n_points, n_features) of leads with at most MOST_ACTIVITIES activities."""
    for column, feature in enumerate(features):
        tolerance = ENGAGEMENT_STEP * MOST_ACTIVITIES if feature.kind is FeatureKind.ENGAGEMENT else 0.0
        np.testing.assert_allclose(
            found[:, column], expected[:, column], rtol=0, atol=tolerance, err_msg=feature.name
        )
