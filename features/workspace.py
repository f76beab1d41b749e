"""Where a workspace keeps what. Only names of places: nothing here opens, creates or reads them."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Workspace:
    """One folder with everything of one installation: history, models, database, policy."""

    root: Path

    @property
    def history_dir(self) -> Path:
        """Canonical tables as Parquet."""
        return self.root / "history"

    @property
    def rejects_dir(self) -> Path:
        """Rows that imports set aside, readable, one file per import."""
        return self.root / "rejects"

    @property
    def models_dir(self) -> Path:
        """Pulled model directories and the pointer to the champion."""
        return self.root / "models"

    @property
    def mlflow_dir(self) -> Path:
        """MLflow's SQLite store and artifacts, unless a tracking server is configured."""
        return self.root / "mlflow"

    @property
    def database_file(self) -> Path:
        """The service's SQLite database, unless a database URL is configured."""
        return self.root / "leadpact.db"

    @property
    def policy_file(self) -> Path:
        """The policy as text, for the command line."""
        return self.root / "policy.toml"

    @property
    def secret_file(self) -> Path:
        """The key under which API keys are hashed; readable by the owner only."""
        return self.root / "secret.key"
