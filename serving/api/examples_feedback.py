"""One example per operation about closing feedback. The tests send every request for real."""

from serving.api.examples import Example

NEW_ANSWER_EXAMPLE: Example = {
    "answer": "The form now checks numbers before it is sent.",
    "by": "Maria Sommer",
}

ANSWER_EXAMPLE: Example = {
    "answer_id": "9b74c9897bac770ffc029102a200c5de",
    "answer": "The form now checks numbers before it is sent.",
    "by": "Maria Sommer",
    "answered_at": "2026-11-24T09:00:00Z",
    "due_at": "2026-11-26T16:30:00Z",
    "in_time": True,
}

PERIOD_EXAMPLE: Example = {
    "first": "2026-11-01",
    "last": "2026-11-30",
    "since": "2026-10-31T23:00:00Z",
    "until": "2026-11-30T23:00:00Z",
    "zone": "Europe/Berlin",
}
BEFORE_EXAMPLE: Example = {
    "first": "2026-10-01",
    "last": "2026-10-31",
    "since": "2026-09-30T22:00:00Z",
    "until": "2026-10-31T23:00:00Z",
    "zone": "Europe/Berlin",
}


def counted(key: str, count: int = 1, before: int = 0) -> Example:
    """Return an example of one number."""
    return {
        "key": key,
        "count": count,
        "before": before,
        "change": count - before,
        "leads": count,
        "lead_ids": ["L1", "L2", "L3"][:count],
    }


LOSS_REPORT_EXAMPLE: Example = {
    "period": PERIOD_EXAMPLE,
    "before": BEFORE_EXAMPLE,
    "total": counted("all", 2, 3),
    "unmapped": counted("unmapped", 1, 2),
    "bad_data": counted("bad_data"),
    "kinds": [
        {"kind": "rejected", "label": "rejected by sales", "counted": counted("kind:rejected")},
        {"kind": "lost", "label": "deal lost", "counted": counted("kind:lost", 1, 3)},
    ],
    "groups": [
        {
            "group": "data",
            "label": "Data",
            "side": "marketing",
            "owner": "Marketing operations",
            "counted": counted("group:data"),
            "question": {
                "question_id": "handover-5d41402abc4b2a76b9719d911017c592",
                "opened_at": "2026-11-23T09:00:00Z",
                "due_at": "2026-11-26T09:00:00Z",
                "status": "open",
                "text": "is to be answered",
                "ends": 1,
                "raised_at": None,
            },
            "answer": None,
        }
    ],
    "reasons": [
        {
            "code": "data_wrong_contact",
            "label": "contact details are wrong",
            "group": "data",
            "bad_data": True,
            "counted": counted("reason:data:data_wrong_contact"),
        }
    ],
    "rows": [
        {
            "dimension": "persona",
            "name": "technical_buyer",
            "group": "data",
            "label": "Data",
            "counted": counted("persona:data:technical_buyer"),
        }
    ],
    "rows_left_out": 0,
    "unmapped_texts": [{"text": "went quiet", "count": 1}],
    "leads": None,
}

WIN_REPORT_EXAMPLE: Example = {
    "period": PERIOD_EXAMPLE,
    "before": BEFORE_EXAMPLE,
    "total": counted("all", 1, 2),
    "amount": 12000.0,
    "amount_before": 30000.0,
    "rows": [{"dimension": "source", "name": "webinar", "counted": counted("source:1f0ac9a1d3b2c4e5")}],
    "rows_left_out": 0,
    "wins": [
        {
            "deal_id": "D1",
            "lead_id": "L1",
            "won_at": "2026-11-23T09:00:00Z",
            "amount": 12000.0,
            "days": 21,
            "persona": "technical_buyer",
            "source": "webinar",
            "owner": "Jonas Weber",
            "touches": 1,
            "content": [
                {
                    "at": "2026-11-20T09:30:00Z",
                    "kind": "pricing_view",
                    "asset": "/pricing",
                    "channel": "web",
                    "stage": "mql",
                    "stage_label": "MQL",
                }
            ],
        }
    ],
    "next_win": "",
    "leads": None,
}

CONTENT_REPORT_EXAMPLE: Example = {
    "period": PERIOD_EXAMPLE,
    "before": BEFORE_EXAMPLE,
    "notes": counted("notes", 2, 1),
    "backlog": 1,
    "objections": [
        {
            "objection": "security",
            "label": "doubts about security",
            "persona": "technical_buyer",
            "stage": "sql",
            "stage_label": "SQL",
            "is_backlog": True,
            "counted": counted("objection:77e1c8c1b60d2a13", 2, 1),
            "with_content": 0,
            "content": [],
        }
    ],
    "objections_left_out": 0,
    "content": [
        {
            "content": "/pricing",
            "persona": "technical_buyer",
            "stage": "mql",
            "stage_label": "MQL",
            "won": counted("won:0a64b1d8f1e7c093"),
            "lost": counted("lost:0a64b1d8f1e7c093", 2, 2),
        }
    ],
    "content_left_out": 0,
    "leads": None,
}

NEW_DISPUTE_EXAMPLE: Example = {
    "reason": "A student asks for a thesis; 84 points cannot be right.",
    "by": "Jonas Weber",
}

DISPUTE_EXAMPLE: Example = {
    "dispute_id": "D-L1",
    "lead_id": "L1",
    "score_id": "5d41402abc4b2a76b9719d911017c592",
    "probability": 0.84,
    "points": 62,
    "reason": "A student asks for a thesis; 84 points cannot be right.",
    "by": "Jonas Weber",
    "occurred_at": "2026-11-23T09:00:00Z",
    "recorded_at": "2026-11-23T09:00:00Z",
    "side": "marketing",
    "due_at": "2026-11-25T09:00:00Z",
    "status": "open",
    "text": "is to be answered",
    "verdict": "",
    "verdict_text": "",
    "answer": "",
    "answered_by": "",
    "answered_at": None,
}

DISPUTE_PAGE_EXAMPLE: Example = {"items": [DISPUTE_EXAMPLE], "next_after": ""}

DISPUTE_ANSWER_EXAMPLE: Example = {
    "verdict": "score_wrong",
    "answer": "The address was private; the rule for students now knows its domain.",
    "by": "Maria Sommer",
}

NEW_NOTE_EXAMPLE: Example = {
    "text": "asks where the data is kept",
    "objection": "security",
    "content": "Data sheet: security, interfaces and operation",
    "by": "Jonas Weber",
}

NOTE_EXAMPLE: Example = {
    "note_id": "7d793037a0760186574b0282f2f435e7",
    "lead_id": "L1",
    "attempt_id": "",
    "occurred_at": "2026-11-23T09:00:00Z",
    "by": "Jonas Weber",
    "text": "asks where the data is kept",
    "persona": "technical_buyer",
    "stage": "sql",
    "objection": "security",
    "content": "Data sheet: security, interfaces and operation",
}
