"""The operations about leads and handovers, as the OpenAPI document describes them."""

from serving.api import examples_leads as examples
from serving.api import schemas_leads as schemas
from serving.api.examples import Example
from serving.api.fields import Field
from serving.api.handovers import ABSENCE_ID, FILTERS, HANDOVER_ID
from serving.api.lead_scores import PAGE
from serving.api.lead_scores_schema import SCORE_PAGE, SCORE_PAGE_EXAMPLE
from serving.api.leads import LEAD_ID
from serving.api.operation import BODY_PROBLEMS, KEY_PROBLEMS, Operation
from serving.keys import Scope

ACT_PROBLEMS = (404, 409, *BODY_PROBLEMS)


def _act(name: str, operation_id: str, summary: str, about: str, body: Field, example: Example) -> Operation:
    """Return an act of sales on one handover; every one answers with the handover as it stands then."""
    return Operation(
        method="post",
        path=f"/v1/handovers/{{handover_id}}/{name}",
        operation_id=operation_id,
        summary=summary,
        about=f"{about} The same act again changes nothing.",
        body=body,
        body_example=example,
        answer=schemas.HANDOVER,
        answer_example=examples.HANDOVER_EXAMPLE,
        problems=ACT_PROBLEMS,
        scope=Scope.HANDOVERS,
        takes_language=True,
        parameters=(HANDOVER_ID,),
    )


LEAD_OPERATIONS = (
    Operation(
        method="put",
        path="/v1/leads/{lead_id}",
        operation_id="putLead",
        summary="Put a lead",
        about="Stores attributes, scores the lead, and hands it over where the policy says so, all at once.",
        body=schemas.LEAD_PUT,
        body_example=examples.LEAD_PUT_EXAMPLE,
        answer=schemas.STANDING,
        answer_example=examples.STANDING_EXAMPLE,
        problems=(404, 410, *BODY_PROBLEMS),
        scope=Scope.INGEST,
        parameters=(LEAD_ID,),
    ),
    Operation(
        method="get",
        path="/v1/leads/{lead_id}",
        operation_id="getLead",
        summary="One lead",
        about="What is known of a lead, its stage, its running handover, and how it came there.",
        answer=schemas.LEAD_VIEW,
        answer_example=examples.LEAD_VIEW_EXAMPLE,
        problems=(404, 410, 422, *KEY_PROBLEMS),
        scope=Scope.READ,
        takes_language=True,
        parameters=(LEAD_ID,),
    ),
    Operation(
        method="get",
        path="/v1/leads/{lead_id}/scores",
        operation_id="listLeadScores",
        summary="A lead's scores",
        about=(
            "Every stored score, the newest first. Its change since the one before is split into data, "
            "elapsed time, model and policy: parts in points, to a tenth, that add up exactly."
        ),
        answer=SCORE_PAGE,
        answer_example=SCORE_PAGE_EXAMPLE,
        problems=(404, 422, *KEY_PROBLEMS),
        scope=Scope.READ,
        takes_language=True,
        parameters=PAGE,
    ),
    Operation(
        method="post",
        path="/v1/activities",
        operation_id="postActivities",
        summary="Send up to 1,000 activities",
        about="Stores what leads did and scores each of them once. With any mistake nothing is stored.",
        body=schemas.ACTIVITY_BATCH,
        body_example=examples.ACTIVITIES_EXAMPLE,
        answer=schemas.RECORDED,
        answer_example=examples.RECORDED_EXAMPLE,
        problems=(410, *BODY_PROBLEMS),
        scope=Scope.INGEST,
    ),
    Operation(
        method="post",
        path="/v1/deals",
        operation_id="postDeals",
        summary="Send up to 1,000 deals",
        about="Stores deals as they stand; stages and handovers follow. With any mistake nothing is stored.",
        body=schemas.DEAL_BATCH,
        body_example=examples.DEALS_EXAMPLE,
        answer=schemas.RECORDED,
        answer_example=examples.RECORDED_EXAMPLE,
        problems=(410, *BODY_PROBLEMS),
        scope=Scope.INGEST,
    ),
    Operation(
        method="get",
        path="/v1/handovers",
        operation_id="listHandovers",
        summary="Handovers by deadline",
        about="Lists handovers with clocks, attempts and what was not kept, the most urgent first.",
        answer=schemas.HANDOVER_PAGE,
        answer_example=examples.HANDOVER_PAGE_EXAMPLE,
        problems=(422, *KEY_PROBLEMS),
        scope=Scope.READ,
        takes_language=True,
        parameters=FILTERS,
    ),
    _act(
        "accept",
        "acceptHandover",
        "Accept a handover",
        "Somebody in sales takes the lead on; no score takes it away again.",
        schemas.ACCEPT,
        examples.ACCEPT_EXAMPLE,
    ),
    _act(
        "reject",
        "rejectHandover",
        "Reject a handover",
        "The lead should not have come: it goes back to marketing with the reason.",
        schemas.GIVE_BACK,
        examples.REJECT_EXAMPLE,
    ),
    _act(
        "recycle",
        "recycleHandover",
        "Recycle a lead",
        "The lead is right but not now: it rests with marketing and starts its next cycle.",
        schemas.GIVE_BACK,
        examples.RECYCLE_EXAMPLE,
    ),
    _act(
        "attempts",
        "recordAttempt",
        "Record an attempt",
        "Notes a try to reach the lead; after the agreed most without contact it goes back to marketing.",
        schemas.NEW_ATTEMPT,
        examples.ATTEMPT_EXAMPLE,
    ),
    _act(
        "pauses",
        "pauseHandover",
        "Pause the clocks",
        "The clocks do not run in this stretch of time, for the reason given.",
        schemas.NEW_PAUSE,
        examples.PAUSE_EXAMPLE,
    ),
    Operation(
        method="put",
        path="/v1/absences/{absence_id}",
        operation_id="putAbsence",
        summary="Say when a seller is away",
        about="The person gets no handover in that time, and their clocks stand still.",
        body=schemas.NEW_ABSENCE,
        body_example=examples.NEW_ABSENCE_EXAMPLE,
        answer=schemas.ABSENCE,
        answer_example=examples.ABSENCE_EXAMPLE,
        problems=(404, *BODY_PROBLEMS),
        scope=Scope.HANDOVERS,
        parameters=(ABSENCE_ID,),
    ),
)
