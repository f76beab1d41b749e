"""The one way in which a reader of any source says that a whole file cannot be read."""

from features.errors import InputError
from features.problems import Problem


class UnreadableFileError(InputError):
    """A file or query of an export cannot be read at all; the export is refused with every such one named."""

    def __init__(self, *found: Problem) -> None:
        super().__init__("the export cannot be read; nothing was imported", found)
        self.found = found
