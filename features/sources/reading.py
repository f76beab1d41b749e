"""What the readers of all sources share: refusing whole files, and giving rows their numbers."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
import pyarrow as pa

from features.errors import InputError
from features.importing.raw import RawTable, numbered_from_one
from features.problems import Problem

Read = TypeVar("Read")


class UnreadableFileError(InputError):
    """A file or query of an export cannot be read at all; the export is refused with every such one named."""

    def __init__(self, *found: Problem) -> None:
        super().__init__("the export cannot be read", found)
        self.found = found


def collect(readers: Iterable[Callable[[], Read]], problems: Sequence[Problem] = ()) -> tuple[Read, ...]:
    """Read everything, and only then refuse, so that everything unreadable is named at once.

    `problems` are those found before.
    """
    done: list[Read] = []
    found = list(problems)
    for read in readers:
        try:
            done.append(read())
        except UnreadableFileError as error:
            found.extend(error.found)
    if found:
        raise UnreadableFileError(*found)
    return tuple(done)


def repeated_names(names: Iterable[str]) -> list[str]:
    """Return the names that occur more than once, sorted."""
    return sorted(name for name, count in Counter(names).items() if count > 1)


def typed_head(table: str, file: str, schema: pa.Schema) -> RawTable:
    """Return the table without rows; UnreadableFileError when two of its columns have one name."""
    rule = f"the {table} table has two columns of this name"
    problems = [
        Problem(code="repeated_column", file=file, column=name, rule=rule)
        for name in repeated_names(schema.names)
    ]
    if problems:
        raise UnreadableFileError(*problems)
    return RawTable(
        name=table, file=file, data=schema.empty_table(), row_numbers=numbered_from_one(0), is_text=False
    )


def numbered_batches(head: RawTable, batches: Iterable[pa.RecordBatch]) -> Iterator[RawTable]:
    """Yield batches as raw tables of typed columns, their rows numbered through from 1."""
    first = 1
    for batch in batches:
        numbers = np.arange(first, first + batch.num_rows, dtype=np.int64)
        first += batch.num_rows
        yield replace(head, data=_without_dictionaries(batch), row_numbers=pa.array(numbers))


def _without_dictionaries(batch: pa.RecordBatch) -> pa.Table:
    """Return plain columns: a dictionary is a way to store a column, and another one in every batch."""
    table = pa.Table.from_batches([batch])
    for place, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            table = table.set_column(place, field.name, table.column(place).cast(field.type.value_type))
    return table
