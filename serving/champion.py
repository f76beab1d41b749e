"""Which model is in service: reads the pointer that training writes, verifies and loads the directory.

The service only reads; a directory that does not pass its checks is refused and the loaded one goes on.
"""

from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from features.errors import InputError
from features.online import OnlineFeatures
from serving.errors import Missing, ModelRefusedError
from training.artifact import LoadedModel, load_model

PULL_AGAIN = "run `leadpact model pull` to fetch it again"
POINTER_FILE = "champion.json"
NO_CHAMPION = Missing(
    thing="model",
    reason="there is no champion model",
    fix="run `leadpact train`, then `leadpact promote`",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChampionPointer:
    """What `champion.json` says: the registered version and the folder below `models/`."""

    version: str
    folder: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Champion:
    """A verified model, ready to score, and where it came from."""

    pointer: ChampionPointer
    model: LoadedModel
    online: OnlineFeatures


def read_pointer(models_dir: Path) -> ChampionPointer | None:
    """Return the pointer, None when there is no champion; `ModelRefusedError` when it cannot be read."""
    file = models_dir / POINTER_FILE
    try:
        return msgspec.json.decode(file.read_bytes(), type=ChampionPointer)
    except FileNotFoundError:
        return None
    except (msgspec.MsgspecError, UnicodeDecodeError, OSError) as error:
        raise ModelRefusedError(
            f"{file} cannot be read: {error}; run `leadpact model pull` to write it again"
        ) from error


def load_champion(models_dir: Path, pointer: ChampionPointer) -> Champion:
    """Verify and load the directory a pointer names; `ModelRefusedError` names the file and the rule."""
    folder = models_dir / pointer.folder
    try:
        model = load_model(folder)
    except (InputError, OSError) as error:
        raise ModelRefusedError(
            f"model version {pointer.version} is refused: {error}; {PULL_AGAIN}"
        ) from error
    champion = Champion(pointer=pointer, model=model, online=OnlineFeatures(model.feature_set))
    _warm_up(champion)
    return champion


def _warm_up(champion: Champion) -> None:
    """Score a lead nobody knows: the kernels are compiled or fetched now, not within the first request."""
    row = champion.online.row({}, [], 0).values
    champion.model.predict(row[np.newaxis])
    champion.model.reasons(row)


class ChampionInService:
    """Follows the pointer: loads a new champion beside the old one, and keeps the old one when it is refused.

    Used from one thread at a time (`serving.service` holds the lock).
    """

    def __init__(self, models_dir: Path) -> None:
        self._models_dir = models_dir
        self._loaded: Champion | None = None
        self._refused: tuple[ChampionPointer | None, str] | None = None

    def follow(self) -> Champion | Missing:
        """Return the champion in service after a look at the pointer; a refused one is tried once."""
        try:
            self._swap_if_moved()
        except ModelRefusedError as error:
            return self._loaded or Missing(thing="model", reason=str(error), fix="")
        return self._loaded or NO_CHAMPION

    def reload(self) -> Champion | Missing:
        """Load the champion again, moved or not; raises `ModelRefusedError` and keeps the old one."""
        pointer = read_pointer(self._models_dir)
        if pointer is not None:
            self._loaded = load_champion(self._models_dir, pointer)
            self._refused = None
        return self._loaded or NO_CHAMPION

    def _swap_if_moved(self) -> None:
        pointer = read_pointer(self._models_dir)
        if pointer is None or (self._loaded is not None and self._loaded.pointer == pointer):
            return
        if self._refused is not None and self._refused[0] == pointer:
            raise ModelRefusedError(self._refused[1])
        try:
            self._loaded = load_champion(self._models_dir, pointer)
        except ModelRefusedError as error:
            self._refused = (pointer, str(error))
            raise
