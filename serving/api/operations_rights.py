"""The operations about the rights of persons, as the OpenAPI document describes them."""

from serving.api.leads import LEAD_ID
from serving.api.operation import BODY_PROBLEMS, KEY_PROBLEMS, Operation
from serving.api.schemas_rights import ERASED, OBJECTION, OBJECTION_REQUEST, PERSON_EXPORT
from serving.keys import Scope

AT = "2026-11-23T09:00:00Z"
EXPORT_EXAMPLE = {
    "lead_id": "L1",
    "exported_at": AT,
    "procedure": "A model that learnt from won and lost deals estimates the chance that this lead is won.",
    "scores": [
        {
            "score_id": "0" * 32,
            "as_of": AT,
            "scored_at": AT,
            "probability": 0.31,
            "points": 44,
            "stage": "sql",
            "model_version": "7",
            "policy_version": "3",
            "reasons": ["Asked for a demo 2 days ago (+9 points)"],
        }
    ],
    "records": [{"table": "leads", "rows": [{"lead_id": "L1", "stage": "sql"}]}],
    "imported": [{"table": "leads", "rows": [{"lead_id": "L1", "industry": "manufacturing"}]}],
    "acts": [{"at": AT, "who": "key crm", "act": "lead.put", "what": "lead #00000000"}],
}
RIGHTS_OPERATIONS = (
    Operation(
        method="get",
        path="/v1/leads/{lead_id}/export",
        operation_id="exportLead",
        summary="Everything stored about a person",
        about="Returns all rows about a lead and every score with its reasons in plain words.",
        answer=PERSON_EXPORT,
        answer_example=EXPORT_EXAMPLE,
        problems=(404, 410, 422, *KEY_PROBLEMS),
        scope=Scope.PRIVACY,
        takes_language=True,
        parameters=(LEAD_ID,),
    ),
    Operation(
        method="delete",
        path="/v1/leads/{lead_id}",
        operation_id="eraseLead",
        summary="Erase a person",
        about="Deletes everything about a lead. Only a keyed hash stays, so that no import and no late event "
        "brings the person back: what is sent about an erased lead is answered with 410 erased.",
        answer=ERASED,
        answer_example={"lead_id": "L1", "erased_at": AT, "files_pending": True},
        problems=(404, 422, *KEY_PROBLEMS),
        scope=Scope.PRIVACY,
        changes_nothing=True,
        parameters=(LEAD_ID,),
    ),
    Operation(
        method="put",
        path="/v1/leads/{lead_id}/objection",
        operation_id="putObjection",
        summary="Object to being scored",
        about="From then on the lead is not scored (409 objected) and no training learns from it.",
        body=OBJECTION_REQUEST,
        body_example={"objects": True},
        answer=OBJECTION,
        answer_example={"lead_id": "L1", "objected_at": AT},
        problems=(404, 410, *BODY_PROBLEMS),
        scope=Scope.PRIVACY,
        parameters=(LEAD_ID,),
    ),
)
