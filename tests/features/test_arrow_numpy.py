"""Conversions between numpy and Arrow: pyarrow's own results, without its import of pandas."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.arrow_numpy import to_arrow, to_numpy, to_text
from features.history.store import History
from tests.builders_features import activity, at, crm_tables

WHOLE = st.lists(st.integers(-(2**31), 2**31 - 1), max_size=70)


@given(WHOLE, st.sampled_from([np.int8, np.int32, np.int64, np.float64, np.bool_]), st.data())
def test_numbers_become_what_pyarrow_makes_of_them(
    whole: list[int], kind: type[np.generic], data: st.DataObject
) -> None:
    """Values, type and nulls of a column are those of `pyarrow.array`."""
    values = np.array(whole, np.int64).astype(kind)
    missing = np.array(data.draw(st.lists(st.booleans(), min_size=len(whole), max_size=len(whole))), np.bool_)
    assert to_arrow(values).equals(pa.array(values))
    assert to_arrow(values, missing).equals(pa.array(values, mask=missing))


@given(WHOLE, st.sampled_from([pa.int8(), pa.int32(), pa.float64(), pa.bool_(), pa.timestamp("us", "UTC")]))
def test_slices_of_columns_become_their_values(whole: list[int], kind: pa.DataType) -> None:
    """A column that begins within another one, in chunks or not, gives its own values only."""
    small = [number % 100 for number in whole]
    column = pa.chunked_array([pa.array(small, pa.int64()).cast(kind)])
    for part in (column.slice(3), column.slice(1, 9).combine_chunks()):
        assert to_numpy(part).tolist() == part.cast(pa.int64()).to_pylist()


def test_a_null_has_no_number() -> None:
    """A column with nulls is refused."""
    with pytest.raises(ValueError, match="a column without nulls is wanted; got 1 in 2"):
        to_numpy(pa.array([1, None]))


def test_words_become_text() -> None:
    """Any words, none left out."""
    assert to_text(["", "Grüße", "a"]).equals(pa.array(["", "Grüße", "a"]))


BUILDER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from experiments.benchmarks.features.chosen import chosen_features
from features.asked import AllLeadsAt
from features.feature_table import write_feature_table
from features.history.store import History
folder, now = Path(sys.argv[1]), datetime(2027, 1, 1, tzinfo=UTC)
write_feature_table(chosen_features(), History(folder).buckets(), AllLeadsAt(now), folder / "out.parquet")
print(sorted({"pandas", "pyarrow.dataset"} & set(sys.modules)))
"""


def test_a_feature_table_of_a_history_loads_no_pandas(tmp_path: Path) -> None:
    """Its import would take longer than the features of 100,000 leads."""
    leads = [{"lead_id": f"L{number}", "created_at": at("2026-01-01")} for number in range(3)]
    History(tmp_path).merge(crm_tables(leads, [activity("L1", at("2026-05-01"), asset="a")]))
    done = subprocess.run(
        [sys.executable, "-c", BUILDER, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
