"""The scorer of a workspace at one instant, for commands; the service follows changes (`serving.service`)."""

from datetime import datetime

from serving.champion import NO_CHAMPION, load_champion, read_pointer
from serving.errors import DatabaseUnreachableError, Missing, ModelRefusedError, ServiceNotReadyError
from serving.operations.active_policy import find_policy
from serving.scorer import Scorer
from serving.settings import Settings


def load_scorer(settings: Settings, *, now: datetime) -> Scorer:
    """Return champion and policy, joined; `ServiceNotReadyError` names everything that is missing."""
    models_dir = settings.workspace.models_dir
    pointer = read_pointer(models_dir)
    champion = NO_CHAMPION if pointer is None else load_champion(models_dir, pointer)
    policy = find_policy(settings.database, now=now)
    if isinstance(champion, Missing) or isinstance(policy, Missing):
        raise ServiceNotReadyError(tuple(part for part in (champion, policy) if isinstance(part, Missing)))
    return Scorer(champion, policy)


def find_missing(settings: Settings, *, now: datetime) -> tuple[Missing, ...]:
    """Return what this workspace lacks to score, without failing on any of it."""
    try:
        load_scorer(settings, now=now)
    except ServiceNotReadyError as error:
        return error.missing
    except ModelRefusedError as error:
        return (Missing(thing="model", reason=str(error), fix=""),)
    except DatabaseUnreachableError as error:
        return (error.as_missing(),)
    return ()
