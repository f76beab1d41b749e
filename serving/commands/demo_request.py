"""The request that the demo shows: one believable lead of the simulated CRM, with times relative to now."""

import json
import shlex
from datetime import datetime, timedelta

LEAD_AGE = timedelta(days=6, hours=3)
ATTRIBUTES: tuple[tuple[str, object], ...] = (
    ("country", "DE"),
    ("industry", "manufacturing"),
    ("employees", 240),
    ("job_level", "director"),
    ("department", "it"),
    ("source", "referral"),
    ("campaign", None),
    ("product_interest", "integration"),
    ("annual_revenue", 38_000_000),
    ("newsletter", True),
    ("email_domain_class", "company"),
)
STORY: tuple[tuple[timedelta, str, str, str], ...] = (
    (timedelta(days=6, hours=3, minutes=9), "page_view", "/product/integration", "web"),
    (timedelta(days=6, hours=3, minutes=4), "page_view", "/customers", "web"),
    (timedelta(days=6, hours=3), "form_submit", "/contact", "web"),
    (timedelta(days=5, hours=1), "call", "reached", "phone"),
    (timedelta(days=4, hours=6), "email_open", "newsletter", "email"),
    (timedelta(days=3, hours=2), "pricing_view", "/pricing", "web"),
    (timedelta(days=2, hours=1), "demo_request", "/demo", "web"),
)
"""How long before now, what, where and by which channel."""


def example_request(now: datetime) -> dict[str, object]:
    """Return the body of a score request: a director of IT who asked for a demo two days ago."""
    attributes = dict(ATTRIBUTES)
    return {
        "lead": {"lead_id": "demo-1", "created_at": _iso(now - LEAD_AGE), **attributes},
        "activities": [
            {"occurred_at": _iso(now - ago), "kind": kind, "asset": asset, "channel": channel}
            for ago, kind, asset, channel in STORY
        ],
        "attribute_changes": [],
    }


def curl_command(url: str, key: str, now: datetime) -> str:
    """Return a command that scores the example lead, ready to paste into any POSIX shell."""
    body = json.dumps(example_request(now), ensure_ascii=False)
    lines = (
        f"curl -s {url}/v1/score",
        f"-H {shlex.quote(f'X-API-Key: {key}')}",
        "-H 'Content-Type: application/json' -H 'Accept-Language: en'",
        f"-d {shlex.quote(body)}",
    )
    return " \\\n  ".join(lines)


def _iso(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"
