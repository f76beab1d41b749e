"""Record that a model version is about to become champion: by the gates, or against them with a reason."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Engine

from serving.db.audited import audited_transaction
from serving.operations.create_api_key import COMMAND_LINE


def record_promotion(
    database: Engine,
    *,
    version: str,
    previous: str | None,
    refused: Sequence[str],
    why_forced: str | None,
    now: datetime,
    by: str = COMMAND_LINE,
) -> None:
    """Leave one entry in the audit log; `refused` are the codes of the gates that refuse.

    `previous` is the version that is champion until now; `why_forced` is None when every gate passed.
    """
    act = "model.promoted" if why_forced is None else "model.forced"
    after = {"champion": version, "refused": list(refused), "why": why_forced}
    with audited_transaction(database, now=now) as work:
        work.note(act, who=by, what=f"model version {version}", before={"champion": previous}, after=after)
