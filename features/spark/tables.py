"""Canonical tables as Spark reads them: the history, or a folder of Parquet here or in a cluster's storage.

Names and types of columns are checked here, rows on the workers (`features.spark.blocks`). Nothing is
repaired: that is what an import is for.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from features.crm import CrmSettings
from features.errors import InputError
from features.history.store import MANIFEST, History, read_manifest
from features.problems import shorten
from features.spark.blocks import FILLED, PARTS, TableShapes
from features.spark.session import spark_failures_named
from features.spark.types import ARROW_TYPES, SPARK_NAMES
from features.tables import FIXED_SCHEMAS, LEADS

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

URL = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+:/")
GLOB_SIGNS = re.compile(r"([\[\]{}*?\\])")
ATTRIBUTE_TYPES = ("string", "double", "boolean", "timestamp")


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongColumn:
    """One column that is not canonical."""

    table: str
    column: str
    wanted: str
    found: str

    def text(self) -> str:
        """Return one line that names the column, the rule and what was found."""
        return f"{self.table}: column {shorten(self.column)!r} must be {self.wanted}; got {self.found}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SparkTables:
    """The tables of one CRM, not yet read. Deals are no feature.

    `rows` has a data frame for each table there is, with the columns `lead_id`, `row` (its number within its
    file) and, named as the table, a struct of the canonical columns.
    """

    rows: "Mapping[str, DataFrame]"
    shapes: TableShapes


def read_history(session: "SparkSession", history: History, *, without: Collection[str] = ()) -> SparkTables:
    """Return the tables of a history on a disk that driver and workers share, without some leads."""
    files = {name: local_url(file) for name, file in history.files().items()}
    found = _read(session, files, history.read_settings(), source=str(history.folder))
    if not without:
        return found
    kept = {name: frame.where(~frame["lead_id"].isin(list(without))) for name, frame in found.rows.items()}
    return replace(found, rows=kept)


def read_folder(session: "SparkSession", folder: str) -> SparkTables:
    """Return the tables of a folder: a copy of a history, or `leads.parquet` and what else there is.

    `folder` is a path or an address such as `s3a://bucket/crm`; each table is one file or a folder of parts.
    InputError names all columns that are not canonical.
    """
    if not is_url(folder) and (Path(folder) / MANIFEST).is_file():
        return read_history(session, History(Path(folder)))
    place = folder.rstrip("/") if is_url(folder) else local_url(Path(folder))
    content = _text(session, f"{place}/{MANIFEST}") if is_url(folder) else None
    if content is None:
        files = {name: f"{place}/{name}.parquet" for name in PARTS}
        return _read(session, files, CrmSettings(name="folder"), source=folder)
    manifest = read_manifest(content.encode(), source=f"{folder}/{MANIFEST}")
    files = {name: f"{place}/{file}" for name, file in manifest["tables"].items()}
    return _read(session, files, CrmSettings.from_dict(manifest["crm"]), source=folder)


def is_url(place: str) -> bool:
    """Tell an address that Spark resolves (s3a://, hdfs://, dbfs:/) from a path on this machine."""
    return URL.match(place) is not None


def local_url(path: Path) -> str:
    """Return a path of this machine as Spark takes it: absolute, with its scheme, no sign read as a pattern.

    Without the scheme a cluster would look in its default storage.
    """
    return "file://" + GLOB_SIGNS.sub(r"\\\1", str(path.absolute()))


def quoted(name: str) -> str:
    """Return a column's name as Spark takes it when it holds dots, blanks or back quotes."""
    return "`" + name.replace("`", "``") + "`"


def _read(session: "SparkSession", files: Mapping[str, str], crm: CrmSettings, *, source: str) -> SparkTables:
    with spark_failures_named(f"cannot read {source}"):
        frames = {name: frame for name in PARTS if (frame := _frame(session, files[name])) is not None}
        found = {name: _types(frame) for name, frame in frames.items()}
    if LEADS not in found:
        raise InputError(f"{source} must hold {LEADS}.parquet, or a history with its {MANIFEST}; got neither")
    problems = [problem for name, types in found.items() for problem in _wrong_columns(name, types)]
    if problems:
        raise InputError(f"the tables of {source} must be canonical; leadpact import makes them so", problems)
    shapes = TableShapes(leads=_leads_schema(found[LEADS]), crm=crm)
    return SparkTables(
        rows={name: _rows(name, frame, found[name], shapes.schema(name)) for name, frame in frames.items()},
        shapes=shapes,
    )


def _frame(session: "SparkSession", file: str) -> "DataFrame | None":
    """Return one Parquet file or folder of parts, None when it is not there."""
    from pyspark.errors import AnalysisException

    try:
        # Times before 1900 are read as they are: who wrote these files did not count in Spark's old calendar.
        return session.read.option("datetimeRebaseMode", "CORRECTED").parquet(file)
    except AnalysisException as error:
        if error.getCondition() == "PATH_NOT_FOUND":
            return None
        raise


def _text(session: "SparkSession", file: str) -> str | None:
    """Return a small text file of any storage that Spark knows, None when it is not there."""
    from pyspark.errors import AnalysisException

    with spark_failures_named(f"cannot read {file}"):
        try:
            row = session.read.text(file, wholetext=True).first()
        except AnalysisException as error:
            if error.getCondition() == "PATH_NOT_FOUND":
                return None
            raise
    return "" if row is None else str(row["value"])


def _types(frame: "DataFrame") -> dict[str, str]:
    """Return the name of each column's type."""
    return {field.name: field.dataType.typeName() for field in frame.schema.fields}


def _wrong_columns(name: str, found: Mapping[str, str]) -> Iterator[WrongColumn]:
    for field in FIXED_SCHEMAS[name]:
        wanted = SPARK_NAMES[field.type]
        if field.name not in found and field.name in FILLED[name]:
            yield WrongColumn(table=name, column=field.name, wanted="there", found="none of that name")
        elif found.get(field.name, wanted) != wanted:
            yield WrongColumn(table=name, column=field.name, wanted=wanted, found=found[field.name])
    for column, kind in found.items() if name == LEADS else ():
        if column not in FIXED_SCHEMAS[LEADS].names and kind not in ATTRIBUTE_TYPES:
            yield WrongColumn(table=name, column=column, wanted=" or ".join(ATTRIBUTE_TYPES), found=kind)


def _leads_schema(found: Mapping[str, str]) -> pa.Schema:
    """Return the columns of the leads: the fixed ones first, then the attributes in their order."""
    fixed = FIXED_SCHEMAS[LEADS]
    attributes = [(name, ARROW_TYPES[kind]) for name, kind in found.items() if name not in fixed.names]
    return pa.schema([*fixed, *attributes])


def _rows(name: str, frame: "DataFrame", found: Mapping[str, str], schema: pa.Schema) -> "DataFrame":
    """Return the rows of one table in the form of `SparkTables.rows`; a column that is not there is null."""
    from pyspark.sql import functions as fn

    def column(field: pa.Field) -> "Column":
        there = field.name in found
        value = frame[quoted(field.name)] if there else fn.lit(None).cast(SPARK_NAMES[field.type])
        return value.alias(field.name)

    row = frame.metadataColumn("_metadata")["row_index"].alias("row")
    return frame.select("lead_id", row, fn.struct(*(column(field) for field in schema)).alias(name))
