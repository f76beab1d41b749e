"""Leads in buckets: tables larger than memory, each bucket with all that is known of its leads.

Decides what a streaming reader promises; how buckets come out of a history, a folder or a database is
decided by the readers (`features.history.buckets`, `features.sources`).
"""

from typing import Protocol

from features.crm import CrmSettings
from features.tables import CanonicalTables


class LeadBuckets(Protocol):
    """The leads of one CRM, cut into buckets that fit into memory.

    Every lead is in exactly one bucket, with all of its activities and attribute changes; buckets ascend by
    `lead_id` (byte order). A bucket's deals may be left out: no feature reads them.
    """

    @property
    def crm(self) -> CrmSettings:
        """The settings of the CRM."""

    def __len__(self) -> int:
        """Return the number of buckets."""

    def read(self, number: int) -> CanonicalTables:
        """Return one bucket, 0 <= number < len(self); safe to call from several threads."""
