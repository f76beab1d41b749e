"""A workspace's pointer to its champion: which pulled model directory is in service. No registry here."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from features.errors import InputError
from features.files import draft_of

POINTER = "champion.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Champion:
    """The registered version in service and its model directory."""

    version: str
    folder: Path


def read_champion(models_dir: Path) -> Champion | None:
    """Return what the pointer names; None when this workspace has no champion yet."""
    pointer = models_dir / POINTER
    try:
        plain = json.loads(pointer.read_bytes())
        return Champion(version=str(plain["version"]), folder=models_dir / str(plain["folder"]))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{pointer}: must hold version and folder as JSON ({error!r}); `leadpact model pull` rewrites it"
        ) from error


def write_champion(models_dir: Path, champion: Champion) -> None:
    """Point at another champion, at once or not at all; the folder is written relative to models_dir."""
    folder = champion.folder.relative_to(models_dir)
    text = json.dumps({"version": champion.version, "folder": str(folder)})
    with draft_of(models_dir / POINTER) as draft:
        with draft.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(models_dir / POINTER)
