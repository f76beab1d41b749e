"""The operations about closing feedback, as the OpenAPI document describes them."""

from serving.api import examples_feedback as examples
from serving.api import schemas_feedback as schemas
from serving.api.examples import Example
from serving.api.feedback import DISPUTE_FILTERS, DISPUTE_ID, GROUP
from serving.api.fields import Field
from serving.api.leads import LEAD_ID
from serving.api.operation import BODY_PROBLEMS, KEY_PROBLEMS, Operation
from serving.api.queries import Parameter
from serving.api.reports_feedback import ASKED, ASKED_WINS
from serving.keys import Scope


def _report(
    name: str,
    operation_id: str,
    summary: str,
    about: str,
    answer: Field,
    example: Example,
    parameters: tuple[Parameter, ...] = ASKED,
) -> Operation:
    """Return a report of a period, with the leads behind every number."""
    return Operation(
        method="get",
        path=f"/v1/reports/{name}",
        operation_id=operation_id,
        summary=summary,
        about=f"{about} Send a number's `key` for all leads behind it.",
        answer=answer,
        answer_example=example,
        problems=(422, *KEY_PROBLEMS),
        scope=Scope.READ,
        takes_language=True,
        parameters=parameters,
    )


FEEDBACK_OPERATIONS = (
    Operation(
        method="post",
        path="/v1/leads/{lead_id}/notes",
        operation_id="recordNote",
        summary="Note what a lead says",
        about="Tags what sellers hear to persona, stage, objection and content. The same again is one note.",
        body=schemas.NEW_NOTE,
        body_example=examples.NEW_NOTE_EXAMPLE,
        answer=schemas.NOTE,
        answer_example=examples.NOTE_EXAMPLE,
        problems=(404, *BODY_PROBLEMS),
        scope=Scope.HANDOVERS,
        parameters=(LEAD_ID,),
    ),
    Operation(
        method="post",
        path="/v1/leads/{lead_id}/disputes",
        operation_id="disputeScore",
        summary="Dispute a score",
        about="Somebody answers within the time limit of the agreement. The same score again is one dispute.",
        body=schemas.NEW_DISPUTE,
        body_example=examples.NEW_DISPUTE_EXAMPLE,
        answer=schemas.DISPUTE,
        answer_example=examples.DISPUTE_EXAMPLE,
        problems=(404, *BODY_PROBLEMS),
        scope=Scope.HANDOVERS,
        takes_language=True,
        parameters=(LEAD_ID,),
    ),
    Operation(
        method="get",
        path="/v1/disputes",
        operation_id="listDisputes",
        summary="Disputed scores",
        about="Lists disputed scores with their deadlines and answers, the oldest first.",
        answer=schemas.DISPUTE_PAGE,
        answer_example=examples.DISPUTE_PAGE_EXAMPLE,
        problems=(422, *KEY_PROBLEMS),
        scope=Scope.READ,
        takes_language=True,
        parameters=DISPUTE_FILTERS,
    ),
    Operation(
        method="post",
        path="/v1/disputes/{dispute_id}/answer",
        operation_id="answerDispute",
        summary="Answer a disputed score",
        about="Says whether the score stands, and why. The same again changes nothing.",
        body=schemas.DISPUTE_ANSWER,
        body_example=examples.DISPUTE_ANSWER_EXAMPLE,
        answer=schemas.DISPUTE,
        answer_example=examples.DISPUTE_EXAMPLE,
        problems=(404, 409, *BODY_PROBLEMS),
        scope=Scope.HANDOVERS,
        takes_language=True,
        parameters=(DISPUTE_ID,),
    ),
    Operation(
        method="post",
        path="/v1/feedback/{group}/answers",
        operation_id="answerGroup",
        summary="Answer for a group of reasons",
        about="Says what is being done; it covers every end of the group recorded until now.",
        body=schemas.NEW_ANSWER,
        body_example=examples.NEW_ANSWER_EXAMPLE,
        answer=schemas.ANSWER,
        answer_example=examples.ANSWER_EXAMPLE,
        problems=(404, 409, *BODY_PROBLEMS),
        scope=Scope.HANDOVERS,
        parameters=(GROUP,),
    ),
    _report(
        "losses",
        "getLosses",
        "Why leads ended without a win",
        "Counts rejected, returned and lost leads by coded reason, group, persona, source and content, "
        "against the period before; says what each group has to answer by when.",
        schemas.LOSS_REPORT,
        examples.LOSS_REPORT_EXAMPLE,
    ),
    _report(
        "content",
        "getContent",
        "What sellers hear, and what content does",
        "Counts objections, those without content first, and content before wins and losses, per persona "
        "and stage.",
        schemas.CONTENT_REPORT,
        examples.CONTENT_REPORT_EXAMPLE,
    ),
    _report(
        "wins",
        "getWins",
        "What was won",
        "Lists the wins, the newest first, each with its source and the content before it.",
        schemas.WIN_REPORT,
        examples.WIN_REPORT_EXAMPLE,
        ASKED_WINS,
    ),
)
