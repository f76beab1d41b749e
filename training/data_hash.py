"""The identity of what a model was trained on: equal tables give an equal hash, on every machine."""

import hashlib
import json

import pyarrow as pa

from features.tables import TABLE_NAMES, CanonicalTables


def hash_tables(tables: CanonicalTables) -> str:
    """Return the SHA-256 of all four tables and the CRM's settings; how rows are chunked does not matter."""
    digest = hashlib.sha256(json.dumps(tables.crm.to_dict(), sort_keys=True).encode())
    for name in TABLE_NAMES:
        digest.update(_content(tables.table(name)))
    return digest.hexdigest()


def _content(table: pa.Table) -> memoryview:
    """Return one table as Arrow IPC in one batch, without what the writer left in its metadata."""
    plain = table.combine_chunks().replace_schema_metadata(None)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, plain.schema) as writer:
        writer.write_table(plain)
    return memoryview(sink.getvalue())
