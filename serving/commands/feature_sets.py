"""Which feature set a command works with: the champion's, or the one the history would get."""

from typing import TYPE_CHECKING, Annotated

import typer

from serving.settings import Settings

if TYPE_CHECKING:
    from features.definitions import FeatureSet

HistoryOption = Annotated[
    bool, typer.Option("--history", help="Choose the features from the history, not from the champion.")
]


def choose_set(settings: Settings, *, from_history: bool) -> "FeatureSet":
    """Return the champion's features, or those that the whole history would get."""
    if from_history:
        return _from_history(settings)
    workspace = settings.workspace
    from features.errors import LeadPactError
    from serving.champion import NO_CHAMPION, read_pointer
    from training.artifact import load_model

    pointer = read_pointer(workspace.models_dir)
    if pointer is None:
        raise LeadPactError(f"{NO_CHAMPION.reason}: {NO_CHAMPION.fix}, or give --history")
    return load_model(workspace.models_dir / pointer.folder).feature_set


def _from_history(settings: Settings) -> "FeatureSet":
    import numpy as np

    from features.choosing import choose_features
    from features.history.store import History
    from serving.commands.train import agreed_personas

    tables = History(settings.workspace.history_dir).read()
    return choose_features(
        tables,
        lead_index=np.arange(tables.leads.num_rows),
        known_until_us=tables.known_until_us,
        personas=agreed_personas(settings),
    )
