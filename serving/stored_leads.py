"""A lead of the history as a score request has it: attributes as of an instant, changed values typed.

Changes are recorded as text; the feature that reads an attribute says what the text means.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from features.attributes import FLAGS
from features.definitions import FeatureKind, FeatureSet
from features.history.stored_lead import StoredLead
from serving.scorer import ScoreRequest


def attribute_kinds(feature_set: FeatureSet) -> dict[str, FeatureKind]:
    """Return how the model reads each attribute."""
    return {each.attribute: each.kind for each in feature_set.features if each.attribute is not None}


def lead_as_of(stored: StoredLead, as_of: datetime, kinds: Mapping[str, FeatureKind]) -> dict[str, object]:
    """Return the flat lead as it was known at `as_of`."""
    lead = stored.lead_as_of(as_of)
    for name in {str(change["attribute"]) for change in stored.attribute_changes} & lead.keys():
        lead[name] = typed_value(lead[name], kinds.get(name))
    return lead


def typed_value(value: object, kind: FeatureKind | None) -> object:
    """Return a recorded value as the model reads the attribute; what is no such value is missing."""
    if not isinstance(value, str):
        return value
    match kind:
        case FeatureKind.ATTRIBUTE_NUMBER:
            return _number(value)
        case FeatureKind.ATTRIBUTE_BOOLEAN:
            flag = FLAGS.get(value.lower())
            return None if flag is None else bool(flag)
        case _:
            return value


def with_stored_lead(
    request: ScoreRequest, stored: StoredLead, kinds: Mapping[str, FeatureKind]
) -> ScoreRequest:
    """Return the request with what the history knows about its lead."""
    lead = lead_as_of(stored, request.as_of, kinds)
    return replace(request, lead=lead, activities=stored.activities, is_stored=True)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
