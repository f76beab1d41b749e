"""The history for whoever learns from it or judges by it: without the leads nobody may learn from."""

from typing import TYPE_CHECKING

from serving.clock import now

if TYPE_CHECKING:
    from features.tables import CanonicalTables
    from serving.settings import Settings

BAD_DATA = "bad_data"


def read_to_learn(settings: "Settings") -> "CanonicalTables":
    """Return the history without those leads, as the service knows them now; `left_out` counts them."""
    from features.history.store import History

    tell_bad_data(settings)
    return History(settings.workspace.history_dir).read_to_learn()


def tell_bad_data(settings: "Settings") -> None:
    """Tell the history which leads were none, as sellers said; without a database nothing."""
    from features.history.store import History
    from serving.operations.list_bad_data import find_bad_data

    history = History(settings.workspace.history_dir)
    found = find_bad_data(settings.database, now=now()) if history.exists() else None
    if found is not None:
        history.leave_out(BAD_DATA, found)
