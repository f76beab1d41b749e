"""Examples of the policy routes; the tests send every request for real."""

from importlib import resources
from typing import Any

from serving.api.fields import TIME_EXAMPLE

Example = dict[str, Any]
HASH = "6ab342226ccbaf5c450570ce0b571661e9ee4f07a9ebf8198ddf4a20bb41ad61"

POLICY_TEXT = (
    (resources.files("sla") / "templates" / "first_policy.toml")
    .read_text(encoding="utf-8")
    .replace("version = 1 ", "version = 9 ", 1)
)

POLICY_EXAMPLE: Example = {
    "version": 3,
    "name": "Second agreement",
    "state": "signed",
    "side": "marketing",
    "drafted_by": "Maria Sommer",
    "proposed_by": "Maria Sommer",
    "policy_hash": HASH,
    "valid_from": None,
    "expires_at": "2026-12-23T09:00:00Z",
    "effective_at": None,
    "signed_marketing": "Maria Sommer",
    "signed_sales": "",
}
POLICIES_EXAMPLE: Example = {"policies": [POLICY_EXAMPLE]}
DOCUMENT_EXAMPLE: Example = {
    **POLICY_EXAMPLE,
    "text": "[policy]\nversion = 3\n…",
    "document_en": "# Second agreement\n…",
    "document_de": "# Second agreement\n…",
    "events": [
        {
            "at": TIME_EXAMPLE,
            "act": "comment",
            "side": "sales",
            "person": "Jonas Weber",
            "policy_hash": HASH,
            "note": "Four hours are short on Fridays.",
        }
    ],
}
DRAFT_EXAMPLE: Example = {"text": POLICY_TEXT}
PROPOSE_EXAMPLE: Example = {"expires_at": "2027-01-31T17:00:00+01:00"}
COMMENT_EXAMPLE: Example = {"text": "Four hours are short on Fridays."}
SIGN_EXAMPLE: Example = {"policy_hash": None}
WITHDRAW_EXAMPLE: Example = {}
REJECT_EXAMPLE: Example = {"reason": "Sales cannot work that many leads in January."}
WHAT_IF_EXAMPLE: Example = {
    "mql": 0.1,
    "sql": 0.35,
    "hours_per_sql": 1.5,
    "capacity_hours": 80,
    "least_sqls": 10,
}
STAGE_EXAMPLE: Example = {
    "threshold": 0.35,
    "leads": 212,
    "leads_per_week": 16.3,
    "wins_kept": 98,
    "wins_missed": 31,
    "precision": 0.462,
    "precision_low": 0.396,
    "precision_high": 0.529,
    "kept_share": 0.76,
    "kept_low": 0.679,
    "kept_high": 0.825,
}
WHAT_IF_ANSWER_EXAMPLE: Example = {
    "period_from": "2026-05-01T00:00:00Z",
    "period_until": "2026-07-31T00:00:00Z",
    "weeks": 13.0,
    "leads": 1480,
    "wins": 129,
    "left_out_trained_on": 5200,
    "left_out_still_open": 1390,
    "scored_days_after_creation": 7,
    "interval": "Wilson, 95 %",
    "mql": STAGE_EXAMPLE | {"threshold": 0.1},
    "sql": STAGE_EXAMPLE,
    "seller_hours_per_week": 24.5,
    "capacity_share": 0.306,
    "band_lowest": 0.182,
    "band_highest": 0.447,
    "band_feasible": True,
    "suggested_mql": 0.0912,
    "suggested_sql": 0.1821,
    "moves": [{"before": "sql", "after": "mql", "leads": 57, "lead_ids": ["L1", "L7"]}],
}
