"""The features that every engine computes: a selection of the catalogue of about 60, written down once."""

from features.catalogue import activity_features, lead_age_feature
from features.crm import CrmSettings
from features.definitions import FeatureSet

TIMEZONE = "Europe/Berlin"
KINDS = (
    "page_view",
    "email_open",
    "email_click",
    "download",
    "form",
    "call",
    "webinar",
    "meeting",
    "chat",
    "trial",
    "demo_request",
)
"""The kinds that are told apart; the rest count in totals only."""


def chosen_features() -> FeatureSet:
    """Return the set: everything of all activities together, per kind, the first touch, the lead's age."""
    crm = CrmSettings(name="benchmark", timezone=TIMEZONE)
    features = (*activity_features(KINDS, crm, has_assets=True), lead_age_feature())
    return FeatureSet(features=features, timezone=TIMEZONE, activity_kinds=KINDS)
