"""The features that every engine computes: a selection of the catalogue of about 60, written down once."""

from features.catalogue import activity_features, lead_age_feature
from features.crm import CrmSettings
from features.definitions import FeatureSet

TIMEZONE = "Europe/Berlin"
KINDS = ("page_view", "email_open", "email_click", "form", "demo_request")
CHANNELS = ("email", "web", "social", "phone", "event")
"""The kinds and channels that are told apart; the rest count in totals only."""


def chosen_features() -> FeatureSet:
    """Return the set: all activities together, per kind and per channel, the first touch, the lead's age."""
    crm = CrmSettings(name="benchmark", timezone=TIMEZONE)
    of_activities = activity_features(KINDS, crm, channels=CHANNELS, has_assets=True)
    return FeatureSet(
        features=(*of_activities, lead_age_feature()),
        timezone=TIMEZONE,
        activity_kinds=KINDS,
        channels=CHANNELS,
    )
