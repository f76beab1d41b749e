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
