"""What we learned from past deals, and whether to trust it.

`training.LeadClassifier` is loaded when it is asked for: importing this package loads no library.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from training.classifier import LeadClassifier

__all__ = ["LeadClassifier"]


def __getattr__(name: str) -> Any:
    """Load the one public name when it is first used."""
    if name != "LeadClassifier":
        raise AttributeError(f"module 'training' has no attribute {name!r}")
    from training.classifier import LeadClassifier

    return LeadClassifier
