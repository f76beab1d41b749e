"""One way to say what is wrong with a row, a column or a line: Problem, and how many of them to show.

Decides the wording only; what is a problem is decided by the readers and by `features.importing.validation`.
"""

from dataclasses import dataclass

SHOWN_VALUE_LENGTH = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong: where it is, what it is, and the rule it breaks.

    `row` counts data rows from 1 (the header is not a row); for a TOML file it is the line.
    `value` is kept readable: shortened to 80 characters, control characters escaped.
    """

    code: str
    file: str
    rule: str
    row: int | None = None
    column: str | None = None
    value: str | None = None

    def __post_init__(self) -> None:
        if self.value is not None:
            object.__setattr__(self, "value", shorten(self.value))

    def text(self) -> str:
        """One line that names file, row, column, value and rule."""
        unit = "line" if self.file.endswith(".toml") else "row"
        places = [self.file]
        if self.row is not None:
            places.append(f"{unit} {self.row}")
        if self.column is not None:
            places.append(f"column {self.column}")
        said = "" if self.value is None else f" (found {self.value!r})"
        return f"{', '.join(places)}: {self.rule}{said} [{self.code}]"

    def to_dict(self) -> dict[str, object]:
        """JSON-able form, the same keys as the columns of the rejects file."""
        return {
            "code": self.code,
            "file": self.file,
            "row": self.row,
            "column": self.column,
            "value": self.value,
            "rule": self.rule,
        }


def shorten(value: str, length: int = SHOWN_VALUE_LENGTH) -> str:
    """Cut a value for display; the cut is visible as an ellipsis."""
    return value if len(value) <= length else f"{value[: length - 1]}…"
