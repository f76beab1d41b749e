"""What the readers of all sources share: how to refuse a whole file, and which of its column names clash."""

from collections import Counter
from collections.abc import Iterable

from features.errors import InputError
from features.problems import Problem


class UnreadableFileError(InputError):
    """A file or query of an export cannot be read at all; the export is refused with every such one named."""

    def __init__(self, *found: Problem) -> None:
        super().__init__("the export cannot be read", found)
        self.found = found


def repeated_names(names: Iterable[str]) -> list[str]:
    """Return the names that occur more than once, sorted."""
    return sorted(name for name, count in Counter(names).items() if count > 1)
