"""Readable feature tables and the matrix are two forms of one thing."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given

from features.build import build_features
from features.encode import OTHER, decode_table, encode_table
from features.errors import InputError
from tests.builders_features import RandomCrm, feature_set, random_crms

EVERYTHING = feature_set()
BY_NAME = dict(zip(EVERYTHING.names, EVERYTHING.features, strict=True))
ATTRIBUTES = feature_set(BY_NAME["industry"], BY_NAME["employees"], BY_NAME["newsletter"])


@given(random_crms())
def test_decode_then_encode_changes_no_bit(crm: RandomCrm) -> None:
    """What people read holds everything the model needs."""
    matrix = build_features(EVERYTHING, crm.tables, crm.points)
    again = encode_table(EVERYTHING, decode_table(EVERYTHING, matrix))
    np.testing.assert_array_equal(again, matrix)


def test_readable_values() -> None:
    """Codes become words, 0 and 1 become booleans, NaN becomes null."""
    nothing = [np.nan, np.nan, np.nan]
    table = decode_table(ATTRIBUTES, np.array([[1.0, 12.0, 1.0], [0.0, 0.5, 0.0], nothing]))
    assert table.to_pylist() == [
        {"industry": "Software", "employees": 12.0, "newsletter": True},
        {"industry": OTHER, "employees": 0.5, "newsletter": False},
        {"industry": None, "employees": None, "newsletter": None},
    ]


COLUMNS = [
    pytest.param(["Retail", "Mining", None, ""], [1, 2, None, 3], [True, False, None, True], id="lists"),
    pytest.param(
        pa.chunked_array([["Retail"], ["Mining", None, ""]]).dictionary_encode(),
        pa.array([1, 2, None, 3], pa.int32()),
        pa.array([True, False, None, True]),
        id="arrow-dictionary-and-integers",
    ),
    pytest.param(
        np.array(["Retail", "Mining", None, ""], dtype=object),
        np.array([1.0, 2.0, np.nan, 3.0]),
        np.array([1.0, 0.0, np.nan, 1.0]),
        id="numpy-as-a-data-frame-gives-it",
    ),
]


@pytest.mark.parametrize(("industry", "employees", "newsletter"), COLUMNS)
def test_columns_of_any_make_give_the_same_numbers(
    industry: object, employees: object, newsletter: object
) -> None:
    """Unseen levels are 0, null and empty text are missing, whichever library holds the column."""
    columns = {"newsletter": newsletter, "industry": industry, "employees": employees, "spare": [1, 2, 3, 4]}
    found = encode_table(ATTRIBUTES, columns)
    np.testing.assert_array_equal(found[:, 0], [2.0, 0.0, np.nan, np.nan])
    np.testing.assert_array_equal(found[:, 1], [1.0, 2.0, np.nan, 3.0])
    np.testing.assert_array_equal(found[:, 2], [1.0, 0.0, np.nan, 1.0])


def test_a_column_without_any_value_is_missing_throughout() -> None:
    """An all-null column has no type, and needs none."""
    found = encode_table(ATTRIBUTES, {"industry": [None], "employees": [None], "newsletter": [None]})
    assert np.isnan(found).all()


REFUSED = [
    pytest.param({"industry": ["a"]}, "missing: employees, newsletter", id="all-absent-columns"),
    pytest.param(
        {"industry": [1.0], "employees": [1.0], "newsletter": [True]},
        "column 'industry' must hold text values; got double",
        id="number-for-text",
    ),
    pytest.param(
        {"industry": ["a"], "employees": ["12"], "newsletter": [True]},
        "column 'employees' must hold number values; got string",
        id="text-for-number",
    ),
    pytest.param(
        {"industry": ["a"], "employees": [True], "newsletter": [True]},
        "column 'employees' must hold number values; got bool",
        id="flag-for-number",
    ),
    pytest.param(
        {"industry": ["a"], "employees": [1.0], "newsletter": [0.5]},
        "column 'newsletter' must hold boolean values; got double",
        id="number-for-flag",
    ),
]


@pytest.mark.parametrize(("columns", "rule"), REFUSED)
def test_a_table_of_the_wrong_shape_is_refused(columns: dict[str, list[object]], rule: str) -> None:
    """The error names the columns, the rule and what was there."""
    with pytest.raises(InputError, match=rule):
        encode_table(ATTRIBUTES, columns)
