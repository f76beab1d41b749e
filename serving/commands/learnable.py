"""The history for whoever learns from it or judges by it: without the leads nobody may learn from."""

from typing import TYPE_CHECKING

from serving.console import say

if TYPE_CHECKING:
    from features.tables import CanonicalTables
    from serving.settings import Settings


def read_to_learn(settings: "Settings") -> "tuple[CanonicalTables, dict[str, int]]":
    """Return the history without those leads, and how many they are per reason; people are told."""
    from features.history.store import History

    tables, counts = History(settings.workspace.history_dir).read_to_learn()
    for reason, count in counts:
        say(f"left out: {count:,} lead(s) that nobody may learn from, reason {reason}")
    return tables, dict(counts)
