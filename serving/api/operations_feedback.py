"""The operations about closing feedback, as the OpenAPI document describes them."""

from serving.api import examples_feedback as examples
from serving.api import schemas_feedback as schemas
from serving.api.feedback import GROUP
from serving.api.operation import BODY_PROBLEMS, KEY_PROBLEMS, Operation
from serving.api.reports_feedback import ASKED
from serving.keys import Scope

FEEDBACK_OPERATIONS = (
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
    Operation(
        method="get",
        path="/v1/reports/losses",
        operation_id="getLosses",
        summary="Why leads ended without a win",
        about=(
            "Counts rejected, returned and lost leads by coded reason, group, persona, source and content, "
            "against the period before; says what each group has to answer by when."
        ),
        answer=schemas.LOSS_REPORT,
        answer_example=examples.LOSS_REPORT_EXAMPLE,
        problems=(422, *KEY_PROBLEMS),
        scope=Scope.READ,
        takes_language=True,
        parameters=ASKED,
    ),
)
