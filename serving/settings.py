"""The only reader of the environment: where the workspace, the database and MLflow are."""

import os
import sys
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from features.workspace import Workspace


class Settings(BaseSettings):
    """Settings of one process; every field can be set by the environment variable it names."""

    model_config = SettingsConfigDict(env_prefix="LEADPACT_", frozen=True, populate_by_name=True)

    workspace_root: Path = Field(default=Path("workspace"), validation_alias="LEADPACT_WORKSPACE")
    database_url: SecretStr | None = None
    """SQLAlchemy URL of a PostgreSQL database (LEADPACT_DATABASE_URL); default: SQLite in the workspace."""
    mlflow_tracking_uri: str | None = Field(default=None, validation_alias="MLFLOW_TRACKING_URI")
    mlflow_run_id: str | None = Field(default=None, validation_alias="MLFLOW_RUN_ID")
    """Set by `mlflow run`: the run that training logs into."""
    reports_per_person: bool = False
    """Reports name people (LEADPACT_REPORTS_PER_PERSON); figures that rate people may need consent first."""
    webhooks_allow_local: bool = False
    """LEADPACT_WEBHOOKS_ALLOW_LOCAL=true lets webhooks reach private addresses and http: for development."""
    keep_messages_days: int = Field(default=30, ge=1)
    """Days for which delivered and parked messages are kept (LEADPACT_KEEP_MESSAGES_DAYS)."""
    keep_scores_days: int = Field(default=730, ge=1)
    """Days for which a lead's scores are kept; its newest stays (LEADPACT_KEEP_SCORES_DAYS)."""
    keep_rejects_days: int = Field(default=90, ge=1)
    """Days for which rows that imports set aside are kept (LEADPACT_KEEP_REJECTS_DAYS)."""
    keep_leads_days: int | None = Field(default=None, ge=1)
    """Days without any sign of a lead after which it is deleted; unset: never (LEADPACT_KEEP_LEADS_DAYS)."""
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)

    @property
    def workspace(self) -> Workspace:
        """The places inside the workspace folder."""
        return Workspace(self.workspace_root.absolute())

    @property
    def database(self) -> str:
        """SQLAlchemy URL of the service's database."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.workspace.database_file}"


def read_settings(workspace_root: Path | None = None) -> Settings:
    """Read the environment; an explicit workspace folder wins over it."""
    if workspace_root is None:
        return Settings()
    return Settings(workspace_root=workspace_root)


def use_this_python_on_spark() -> None:
    """Let Spark's workers run the Python that runs here, unless PYSPARK_PYTHON names theirs.

    Spark takes the first `python3` on PATH otherwise, which knows nothing of us outside an activated
    environment. PySpark reads this when its session starts, so it must be said before.
    """
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)


def refuse_telemetry() -> None:
    """Keep MLflow from reporting its use to anybody, in this process and its children, unless told otherwise.

    MLflow reads this when it is imported, so it must be said before.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
