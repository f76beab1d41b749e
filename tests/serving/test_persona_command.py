"""`leadpact persona`: coverage in numbers, and a draft that a policy takes as it is."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from features.errors import InputError
from features.history.store import History
from serving.commands.persona import app
from serving.errors import ServiceNotReadyError
from serving.settings import Settings
from sla.personas import Scalar, match_persona
from sla.policy_file import read_policy
from tests.builders_policy import SOUND_TEXT
from tests.builders_serving import first_policy, install_policy
from tests.training.test_persona_clusters import planted


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Return a workspace with planted buyers and the first policy."""
    root = tmp_path_factory.mktemp("personas") / "workspace"
    found = Settings(workspace_root=root, mlflow_tracking_uri=None)
    History(found.workspace.history_dir).merge(planted())
    install_policy(found)
    return found


def ask(settings: Settings, *arguments: str) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(app, [*arguments, "--workspace", str(settings.workspace.root)])


def test_coverage_of_the_policy_in_force(settings: Settings) -> None:
    """Counted from the imported leads, as JSON and in words."""
    answer = json.loads(ask(settings, "report", "--json").stdout)
    departments = planted().leads.column("department").to_pylist()
    technical = next(one for one in answer["personas"] if one["name"] == "technical_buyer")
    assert technical["named"] == departments.count("it")
    assert answer["leads"] == len(departments) == answer["none"] + answer["one"] + answer["several"]
    assert (
        f"technical_buyer: {technical['named']} leads (rules met on average: 50%)"
        in ask(settings, "report").stdout
    )


def test_a_draft_is_a_policy_with_other_personas(settings: Settings, tmp_path: Path) -> None:
    """The tables fit into a policy, and the drafted personas know the planted buyers."""
    out = tmp_path / "draft.toml"
    assert "2 personas drafted" in ask(settings, "suggest", "--out", str(out)).stdout
    draft = out.read_text("utf-8")
    assert draft == ask(settings, "suggest").stdout.removesuffix("\n")
    start, end = SOUND_TEXT.index("[[personas]]"), SOUND_TEXT.index("[[thresholds]]")
    policy = read_policy(SOUND_TEXT[:start] + draft + "\n" + SOUND_TEXT[end:])
    assert [one.name for one in policy.personas] == ["suggestion_1", "suggestion_2"]
    buyers: tuple[dict[str, Scalar | None], ...] = (
        {"department": "it", "level": "expert"},
        {"department": "finance", "level": "head", "size": 700.0},
    )
    matches = [match_persona(policy.personas, traits) for traits in buyers]
    names = {match.name for match in matches if match is not None}
    assert len(names) == 2
    assert len(json.loads(ask(settings, "suggest", "--kinds", "2", "--json").stdout)["kinds"]) == 2
    checked = json.loads(
        ask(settings, "report", str(_written(tmp_path, policy_text=first_policy())), "--json").stdout
    )
    assert checked["leads"] == 520


def _written(folder: Path, *, policy_text: str) -> Path:
    path = folder / "policy.toml"
    path.write_text(policy_text, encoding="utf-8")
    return path


def test_what_is_missing_is_said(settings: Settings, tmp_path: Path) -> None:
    """No such file; no policy in force."""
    error = ask(settings, "report", str(tmp_path / "none.toml")).exception
    assert isinstance(error, InputError)
    assert "POLICY must be a policy file" in str(error)
    bare = Settings(workspace_root=tmp_path / "bare", mlflow_tracking_uri=None)
    assert isinstance(ask(bare, "report").exception, ServiceNotReadyError)
