"""One example per operation about leads and handovers. The tests send every request for real."""

from serving.api.examples import Example
from serving.api.fields import TIME_EXAMPLE

HANDED_OVER_AT = "2026-11-23T08:40:00Z"

LEAD_PUT_EXAMPLE: Example = {
    "created_at": "2026-11-02T08:15:00Z",
    "changed_at": "2026-11-02T08:15:00Z",
    "country": "DE",
    "industry": "manufacturing",
    "employees": 240,
    "newsletter": True,
    "department": None,
}

ACTIVITIES_EXAMPLE: Example = {
    "items": [
        {
            "activity_id": "A1",
            "lead_id": "L1",
            "occurred_at": "2026-11-20T10:30:00+01:00",
            "kind": "pricing_view",
            "channel": "web",
        },
        {
            "activity_id": "A2",
            "lead_id": "L1",
            "occurred_at": "2026-11-23T09:40:00+01:00",
            "kind": "demo_request",
        },
    ]
}

DEALS_EXAMPLE: Example = {
    "items": [
        {"deal_id": "D1", "lead_id": "L1", "opened_at": "2026-11-23T08:50:00Z", "amount": 12000},
        {
            "deal_id": "D2",
            "lead_id": "L2",
            "outcome": "lost",
            "opened_at": "2026-10-01T09:00:00Z",
            "closed_at": "2026-11-20T09:00:00Z",
            "loss_reason": "no budget this year",
        },
    ]
}

RECORDED_EXAMPLE: Example = {
    "stored": 2,
    "repeated": 0,
    "leads": [
        {"lead_id": "L1", "stage": "sql", "cycle": 1, "handover_id": "5d41402abc4b2a76b9719d911017c592"}
    ],
}

STANDING_EXAMPLE: Example = {"lead_id": "L1", "stage": "mql", "cycle": 1, "handover_id": None}

HANDOVER_EXAMPLE: Example = {
    "handover_id": "5d41402abc4b2a76b9719d911017c592",
    "lead_id": "L1",
    "cycle": 1,
    "direction": "to_sales",
    "status": "accepted",
    "owner": "Jonas Weber",
    "owner_reason": "it is the turn of Jonas Weber",
    "persona": "technical_buyer",
    "probability": 0.31,
    "points": 44,
    "created_at": HANDED_OVER_AT,
    "assigned_at": HANDED_OVER_AT,
    "answered_at": TIME_EXAMPLE,
    "closed_at": None,
    "respond_by": "2026-11-23T13:10:00Z",
    "reason_group": "",
    "reason_code": "",
    "reason": "",
    "clocks": [
        {
            "clock": "seller",
            "status": "met",
            "due_at": "2026-11-23T13:10:00Z",
            "met_at": TIME_EXAMPLE,
            "in_time": True,
            "minutes_left": 220,
            "text": "first answer of sales came in time",
        }
    ],
    "attempts": [
        {
            "attempt_id": "T1",
            "occurred_at": TIME_EXAMPLE,
            "channel": "phone",
            "result": "no_answer",
            "by": "Jonas Weber",
            "note": None,
        }
    ],
    "attempts_least": 3,
    "attempts_most": 8,
    "violations": [],
    "content": ["Price overview"],
    "policy_version": "3",
}

HANDOVER_PAGE_EXAMPLE: Example = {"items": [HANDOVER_EXAMPLE], "next_after": ""}

LEAD_VIEW_EXAMPLE: Example = {
    "lead_id": "L1",
    "created_at": "2026-11-02T08:15:00Z",
    "attributes": {"country": "DE", "industry": "manufacturing", "employees": 240, "newsletter": True},
    "stage": "sql",
    "stage_since": HANDED_OVER_AT,
    "owner": "sales",
    "cycle": 1,
    "held_stage": "",
    "persona": "technical_buyer",
    "probability": 0.31,
    "points": 44,
    "scored_at": HANDED_OVER_AT,
    "objected_at": None,
    "handover": HANDOVER_EXAMPLE,
    "timeline": [
        {
            "occurred_at": HANDED_OVER_AT,
            "kind": "scored",
            "from_stage": "lead",
            "to_stage": "sql",
            "cycle": 1,
            "reason": "asked for a demo today: SQL at once",
            "held_because": "",
        }
    ],
}

ACCEPT_EXAMPLE: Example = {"by": "Jonas Weber"}
REJECT_EXAMPLE: Example = {
    "by": "Jonas Weber",
    "reason_group": "targeting",
    "reason": "a supplier, not a buyer",
}
RECYCLE_EXAMPLE: Example = {"by": "Jonas Weber", "reason_group": "timing", "reason": "budget in spring"}
ATTEMPT_EXAMPLE: Example = {
    "attempt_id": "T1",
    "by": "Jonas Weber",
    "channel": "phone",
    "result": "no_answer",
    "note": "voicemail is full",
}
PAUSE_EXAMPLE: Example = {
    "by": "Jonas Weber",
    "reason": "asked to be called after the trade fair",
    "until": "2026-11-27T08:00:00Z",
}
NEW_ABSENCE_EXAMPLE: Example = {
    "person": "Jonas Weber",
    "since": "2026-12-21T08:00:00+01:00",
    "until": "2027-01-04T08:00:00+01:00",
}
ABSENCE_EXAMPLE: Example = {"absence_id": "holiday-1", **NEW_ABSENCE_EXAMPLE, "handovers": 2}
