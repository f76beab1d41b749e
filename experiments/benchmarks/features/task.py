"""What one engine is asked to compute: from which files, for which points, into which folder.

Imports next to nothing: every measured process reads it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from features.times import EPOCH, MICROSECOND

SEED = 7
AS_OF = datetime(2026, 6, 30, 22, tzinfo=UTC)
AS_OF_US = (AS_OF - EPOCH) // MICROSECOND

SNAPSHOTS, PRECOMPUTED = "snapshots.parquet", "precomputed.parquet"
WIDE = "wide.parquet"
PREPARED_PARQUET, PREPARED_ARROW = "prepared.parquet", "prepared.arrow"
LANDMARK_DAYS = (0, 1, 3, 7, 14, 30, 60)
"""The ages at which a lead is looked at for training."""

OTHER = "(other)"
"""`features.encode.OTHER`, which brings pyarrow with it: that would cost the other engines a start-up."""

SHARES_OF_KINDS: Mapping[str, float] = {
    "page_view": 0.38,
    "email_open": 0.2,
    "email_click": 0.1,
    "download": 0.07,
    "form": 0.06,
    "call": 0.05,
    "webinar": 0.04,
    "meeting": 0.03,
    "chat": 0.03,
    "trial": 0.02,
    "demo_request": 0.01,
    "quote": 0.01,
}
SHARES_OF_CHANNELS: Mapping[str, float] = {
    "email": 0.35,
    "web": 0.3,
    "social": 0.15,
    "phone": 0.1,
    "event": 0.05,
    "": 0.05,
}
"""The share without a name is that of activities without a channel."""


class Form(StrEnum):
    """In which form a peer finds the activities.

    The history's own files; a copy whose row groups suit a scan of everything; or a copy that is made for
    the query as LeadPact's scan file is: leads as numbers, times as integers, texts as dictionaries, nothing
    packed.
    """

    HISTORY = "history"
    WIDE = "wide"
    PREPARED = "prepared"


class Work(StrEnum):
    """One row per lead as of one instant, or one row per snapshot."""

    BATCH = "batch"
    TRAINING = "training"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """The work, the folder of the data and the folder of the result (any number of Parquet files).

    The result has the columns `keys` and one per feature, in words as `features.encode.decode_table` writes
    them. `form` says which copy of the activities a peer reads. `parts` cuts the leads into that many
    ranges, one after the other, for an engine that would otherwise run out of memory.
    """

    work: Work
    folder: Path
    out: Path
    form: Form = Form.HISTORY
    parts: int = 1

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns that say which row is which."""
        return ("lead_id",) if self.work is Work.BATCH else ("lead_id", "as_of")

    @property
    def activities(self) -> Path:
        """The Parquet file of the activities."""
        names = {Form.WIDE: WIDE, Form.PREPARED: PREPARED_PARQUET}
        return self.folder / names.get(self.form, file_name("activities"))

    @property
    def prepared(self) -> Path:
        """The Arrow file of the activities in the prepared form."""
        return self.folder / PREPARED_ARROW

    @property
    def leads(self) -> Path:
        """The Parquet file of the leads."""
        return self.folder / file_name("leads")

    @property
    def snapshots(self) -> Path:
        """The Parquet file of the snapshots: point (a number), lead_id, as_of; no two are equal."""
        return self.folder / SNAPSHOTS

    @property
    def precomputed(self) -> Path:
        """The Parquet file of the values that Feast joins: lead_id, event_timestamp, features."""
        return self.folder / PRECOMPUTED

    def result(self, part: int = 0) -> Path:
        """Return the file of one part of the result."""
        return self.out / f"part-{part:03d}.parquet"


def file_name(table: str) -> str:
    """Return the name of a canonical table's file in the folder of the data."""
    return f"{table}-generated.parquet"
