"""What one CRM export says about itself: zone, leakage columns, horizon, labels. No file is read here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

DEFAULT_HORIZON_DAYS = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedReason:
    """A column and why it is denied (`never`) or allowed although it looks suspicious (`allow`)."""

    column: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreedDirection:
    """A feature of which more is agreed to be better (1) or worse (-1), whatever a small sample says."""

    feature: str
    direction: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """The words both teams use for an attribute, an activity kind or a channel."""

    name: str
    de: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmSettings:
    """The settings of one CRM, as `crm.toml` gives them.

    `timezone` is the IANA zone in which hours and weekdays of this CRM are read. Whether naive times may
    be read in it is the export's affair: only when its `crm.toml` names the zone (`RawExport.naive_zone`).
    `exported_at` is the last instant (aware, UTC) the export knows about.
    """

    name: str
    timezone: str = "UTC"
    never: tuple[NamedReason, ...] = ()
    allow: tuple[NamedReason, ...] = ()
    horizon_days: int = DEFAULT_HORIZON_DAYS
    exported_at: datetime | None = None
    attribute_labels: tuple[Label, ...] = ()
    activity_labels: tuple[Label, ...] = ()
    channel_labels: tuple[Label, ...] = ()
    monotone: tuple[AgreedDirection, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form; `from_dict` gives an equal value back."""
        return {
            "name": self.name,
            "timezone": self.timezone,
            "never": _reasons_to_dict(self.never),
            "allow": _reasons_to_dict(self.allow),
            "horizon_days": self.horizon_days,
            "exported_at": None if self.exported_at is None else self.exported_at.isoformat(),
            "attribute_labels": _labels_to_dict(self.attribute_labels),
            "activity_labels": _labels_to_dict(self.activity_labels),
            "channel_labels": _labels_to_dict(self.channel_labels),
            "monotone": {each.feature: each.direction for each in self.monotone},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "CrmSettings":
        """Read what `to_dict` wrote, by this version or by one that knew fewer settings."""
        exported_at = data["exported_at"]
        return cls(
            name=data["name"],
            timezone=data["timezone"],
            never=_reasons_from_dict(data["never"]),
            allow=_reasons_from_dict(data["allow"]),
            horizon_days=data["horizon_days"],
            exported_at=None if exported_at is None else datetime.fromisoformat(exported_at),
            attribute_labels=_labels_from_dict(data["attribute_labels"]),
            activity_labels=_labels_from_dict(data["activity_labels"]),
            channel_labels=_labels_from_dict(data.get("channel_labels", [])),
            monotone=tuple(
                AgreedDirection(feature=feature, direction=direction)
                for feature, direction in data.get("monotone", {}).items()
            ),
        )


def _reasons_to_dict(reasons: tuple[NamedReason, ...]) -> list[dict[str, str]]:
    return [{"column": each.column, "reason": each.reason} for each in reasons]


def _reasons_from_dict(data: list[dict[str, str]]) -> tuple[NamedReason, ...]:
    return tuple(NamedReason(column=each["column"], reason=each["reason"]) for each in data)


def _labels_to_dict(labels: tuple[Label, ...]) -> list[dict[str, str]]:
    return [{"name": each.name, "de": each.de, "en": each.en} for each in labels]


def _labels_from_dict(data: list[dict[str, str]]) -> tuple[Label, ...]:
    return tuple(Label(name=each["name"], de=each["de"], en=each["en"]) for each in data)
