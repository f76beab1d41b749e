"""Numbers between numpy and Arrow, without the import of pandas that pyarrow's own conversions begin with."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa


def to_arrow(values: npt.NDArray[Any], missing: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    """Return numbers or flags (n,) as a column that shares their memory; null where `missing` (n,) holds."""
    is_flag = values.dtype == np.bool_
    kind = pa.bool_() if is_flag else pa.from_numpy_dtype(values.dtype)
    data = _bits(values) if is_flag else np.ascontiguousarray(values)
    valid = None if missing is None or not missing.any() else pa.py_buffer(_bits(~missing))
    return pa.Array.from_buffers(kind, len(values), [valid, pa.py_buffer(data)])


def to_text(words: Iterable[str]) -> pa.Array:
    """Return words as a column of text."""
    builder = pa.lib.StringBuilder()
    for word in words:
        builder.append(word)
    return builder.finish()


def to_numpy(column: pa.Array | pa.ChunkedArray) -> npt.NDArray[Any]:
    """Return flags, numbers or instants without nulls as an array (n,), which may not be written to."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if whole.null_count:
        raise ValueError(f"a column without nulls is wanted; got {whole.null_count} in {len(whole)}")
    if pa.types.is_boolean(whole.type):
        bits = np.frombuffer(whole.buffers()[1], np.uint8) if len(whole) else np.empty(0, np.uint8)
        flags = np.unpackbits(bits, count=whole.offset + len(whole), bitorder="little")
        return flags[whole.offset :].view(np.bool_)
    kind = np.dtype(
        np.int64 if pa.types.is_timestamp(whole.type) else str(whole.type).replace("double", "float64")
    )
    if not len(whole):
        return np.empty(0, kind)
    return np.frombuffer(whole.buffers()[1], kind, len(whole), whole.offset * kind.itemsize)


def _bits(flags: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    return np.packbits(flags, bitorder="little")
