"""What may be a feature at all: coded findings about columns that know the outcome, each with its numbers.

`names` judges what a column is called, `guard` joins names and values. Light: neither numpy nor Arrow is
loaded.
"""

from features.leakage.findings import Finding, Severity
from features.leakage.names import denied_columns

__all__ = ["Finding", "Severity", "denied_columns"]
