"""One example per operation, as the OpenAPI document shows it. The tests send every request for real."""

from typing import Any

from serving.api.fields import TIME_EXAMPLE

Example = dict[str, Any]

SCORE_REQUEST_EXAMPLE: Example = {
    "lead": {
        "lead_id": "L1",
        "created_at": "2026-11-02T08:15:00Z",
        "country": "DE",
        "industry": "manufacturing",
        "employees": 240,
        "job_level": "head",
        "newsletter": True,
    },
    "activities": [
        {
            "activity_id": "A1",
            "occurred_at": "2026-11-02T08:15:00Z",
            "kind": "form_submit",
            "asset": "/whitepaper",
        },
        {
            "activity_id": "A2",
            "occurred_at": "2026-11-20T10:30:00+01:00",
            "kind": "pricing_view",
            "channel": "web",
        },
        {"activity_id": "A3", "occurred_at": "2026-11-21T14:05:00+01:00", "kind": "demo_request"},
    ],
    "as_of": TIME_EXAMPLE,
    "lang": "en",
}

BATCH_REQUEST_EXAMPLE: Example = {
    "items": [SCORE_REQUEST_EXAMPLE, {"lead": {"lead_id": "L2", "created_at": "2026-11-22T16:40:00+01:00"}}],
    "lang": "de",
}

SCORE_ANSWER_EXAMPLE: Example = {
    "score_id": "3f1b7f3a5f0d4c0e9a7f6b2d8c4e1a90",
    "lead_id": "L1",
    "as_of": TIME_EXAMPLE,
    "probability": 0.31,
    "probability_low": 0.24,
    "probability_high": 0.38,
    "points": 44,
    "stage": "sql",
    "stage_reason": "31 % reaches the SQL threshold of 30 %",
    "owner": "sales",
    "respond_by": "2026-11-23T13:00:00Z",
    "persona": "technical_buyer",
    "persona_confidence": 1.0,
    "evidence": "model",
    "reason_1": "Asked for a demo 2 days ago (+9 points)",
    "reason_2": "Viewed the pricing 3 days ago (+7 points)",
    "reason_3": "240 employees (+5 points)",
    "reason_4": "",
    "reason_5": "",
    "reasons": [
        {
            "feature": "days_since_demo_request",
            "label": "Days since the last demo request",
            "value": "2",
            "points": 9.1,
        },
        {
            "feature": "days_since_pricing_view",
            "label": "Days since the last pricing view",
            "value": "3",
            "points": 7.0,
        },
        {"feature": "employees", "label": "Employees", "value": "240", "points": 5.13},
    ],
    "base_points": 23.0,
    "model_version": "7",
    "policy_version": "3",
    "warnings": [],
}

BATCH_ANSWER_EXAMPLE: Example = {
    "items": [
        SCORE_ANSWER_EXAMPLE,
        {
            "error": {
                "type": "urn:leadpact:problem:wrong_fields",
                "code": "wrong_fields",
                "title": "Fields of the body are wrong",
                "status": 422,
                "detail": "1 field of the body must be corrected",
                "errors": [
                    {
                        "field": "lead.created_at",
                        "rule": f"must carry a time zone, such as {TIME_EXAMPLE}",
                        "value": "2026-11-22T16:40:00",
                    }
                ],
            }
        },
    ],
    "scored": 1,
    "failed": 1,
}

MODEL_EXAMPLE: Example = {
    "name": "lead-conversion",
    "version": "7",
    "manifest_hash": "9b2c1de0f4a7b8c9d0e1f2a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7",
    "feature_set_hash": "1de09b2cf4a7b8c9d0e1f2a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7",
    "crm_name": "demo",
    "evidence": "model",
    "horizon_days": 90,
    "created_at": TIME_EXAMPLE,
    "trained_from": "2025-05-01T06:12:00+00:00",
    "trained_until": "2026-07-30T17:45:00+00:00",
    "split": "forward",
    "base_points": 36.4,
    "metrics": [{"name": "auc", "value": 0.81}, {"name": "log_loss", "value": 0.34}],
    "features": ["days_since_demo_request", "days_since_pricing_view", "employees"],
}

HEALTH_EXAMPLE: Example = {"status": "alive"}
READY_EXAMPLE: Example = {"status": "ready", "model_version": "7", "policy_version": "3"}
