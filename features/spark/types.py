"""Arrow types of canonical tables <-> Spark types; any other type is refused by whoever reads a table."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pyarrow as pa

from features.tables import TIME_TYPE

if TYPE_CHECKING:
    from pyspark.sql.types import StructType

ARROW_TYPES: Mapping[str, pa.DataType] = {
    "string": pa.string(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "timestamp": TIME_TYPE,
    "long": pa.int64(),
}
"""By the name Spark gives the type; its timestamp counts microseconds UTC, as ours does."""

SPARK_NAMES: Mapping[pa.DataType, str] = {
    **{arrow: spark for spark, arrow in ARROW_TYPES.items()},
    pa.int32(): "integer",
}
"""What goes out may be 32-bit counts too, which no canonical table holds."""


def spark_schema(schema: pa.Schema) -> "StructType":
    """Return the Spark form of a schema of canonical types and counts."""
    from pyspark.sql.types import StructType

    struct = StructType()
    for field in schema:
        struct = struct.add(field.name, SPARK_NAMES[field.type])
    return struct
