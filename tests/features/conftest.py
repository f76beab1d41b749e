"""A workspace in a temporary folder, and imports into it."""

from datetime import datetime
from pathlib import Path
from typing import cast

import pytest

from features.errors import InputError
from features.history.store import History
from features.importing.import_export import ImportReport, import_export
from features.problems import Problem


class Workspace:
    """A workspace in a temporary folder, and imports into it."""

    def __init__(self, root: Path) -> None:
        self.history = History(root / "workspace" / "history")
        self.rejects_dir = root / "workspace" / "rejects"

    def take(
        self, folder: Path, mapping: Path | None = None, *, strict: bool = False, now: datetime | None = None
    ) -> ImportReport:
        return import_export(
            folder,
            mapping_file=mapping,
            history=self.history,
            strict=strict,
            rejects_dir=self.rejects_dir,
            now=now,
        )

    def refuse(
        self, folder: Path, match: str, mapping: Path | None = None, *, strict: bool = False
    ) -> tuple[Problem, ...]:
        """Import what must be refused; the workspace must be as it was. Return the problems."""
        before = self.files()
        with pytest.raises(InputError, match=match) as refused:
            self.take(folder, mapping, strict=strict)
        assert self.files() == before
        return cast("tuple[Problem, ...]", refused.value.problems)

    def files(self) -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in self.rejects_dir.parent.rglob("*") if path.is_file()}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return tmp_path / "export"
