"""Which leakage findings stop a training or a promotion. What a finding is decides `features.leakage`."""

from collections.abc import Sequence
from dataclasses import replace

from features.definitions import FeatureSet
from features.errors import InputError
from features.leakage import Finding, denied_columns
from features.leakage.guard import inspect
from features.tables import CanonicalTables
from training.splits import Part

REFUSAL = (
    "the leakage guard refuses because of {columns}; name each column in crm.toml with a reason, under "
    "[attributes.never] (known only afterwards, so it is left out) or under [attributes.allow] (it is "
    "honest), then run `leadpact import` on your newest export again, which updates these settings and "
    "changes no lead; `leadpact features check` shows all findings"
)


def refuse_leaks(tables: CanonicalTables, part: Part) -> tuple[Finding, ...]:
    """Return the findings about a part's leads as known at its cut-off.

    InputError carries every error that crm.toml does not allow, with its numbers and how to settle it.
    """
    found = inspect(tables, lead_index=part.lead_index, known_until_us=part.known_until_us)
    if found.refusing:
        raise InputError(REFUSAL.format(columns=_columns(found.refusing)), found.refusing)
    return found.findings


def leaks_of_features(feature_set: FeatureSet, tables: CanonicalTables) -> tuple[Finding, ...]:
    """Return the findings of today about the attributes that features are made of.

    A feature of an attribute that is denied by name or under `never` is an error, because it should not be
    there. The values are held against all that is known today.
    """
    by_name = denied_columns(tuple(sorted(feature_set.attributes)), tables.crm)
    denied = {finding.column for finding in by_name}
    by_value = inspect(tables, known_until_us=tables.known_until_us).findings
    return (
        *(replace(finding, severity="error") for finding in by_name),
        *(finding for finding in by_value if finding.column in feature_set.attributes - denied),
    )


def _columns(findings: Sequence[Finding]) -> str:
    return ", ".join(dict.fromkeys(repr(finding.column) for finding in findings))
