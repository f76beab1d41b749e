"""The recipe for data frames: one door, `LeadClassifier`."""

from training.classifier.estimator import LeadClassifier

__all__ = ["LeadClassifier"]
