"""`leadpact doctor`: every missing part is named with the command that repairs it, and nothing is changed."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from serving.db.migrate import prepare_database
from serving.diagnosis import Finding, diagnose
from serving.errors import Missing
from serving.keys import Scope
from serving.operations.active_policy import active_policy
from serving.operations.propose_policy import propose_policy
from serving.settings import Settings
from tests.builders_serving import NOW, Desk, first_policy, install_champion, install_key, small_history
from tests.serving.processes import run_leadpact

PARTS = ["history", "mlflow", "model", "secret", "database", "policy", "key"]


def healthy(desk: Desk) -> Settings:
    """Complete the workspace of a desk: history and an MLflow store."""
    small_history(desk.settings, 2)
    store = desk.settings.workspace.mlflow_dir
    store.mkdir()
    (store / "mlflow.db").touch()
    return desk.settings


def wrong_parts(settings: Settings) -> dict[str, Finding]:
    """Return the findings that are not good, by part."""
    return {finding.thing: finding for finding in diagnose(settings, now=NOW) if not finding.is_good}


def test_a_complete_workspace_is_healthy(desk: Desk) -> None:
    """Every part is looked at, in the order in which it is made."""
    settings = healthy(desk)
    assert [finding.thing for finding in diagnose(settings, now=NOW)] == PARTS
    assert wrong_parts(settings) == {}


def test_an_empty_workspace_lacks_everything_and_stays_empty(settings: Settings) -> None:
    """Looking creates no file."""
    wrong = wrong_parts(settings)
    assert list(wrong) == ["history", "mlflow", "model", "secret", "database"]
    assert all(finding.fix for finding in wrong.values())
    assert not settings.workspace.root.exists()


def spoil_history(settings: Settings) -> None:
    """Damage the manifest of the history."""
    (settings.workspace.history_dir / "manifest.json").write_text("{")


def spoil_model(settings: Settings) -> None:
    """Flip one byte of the model."""
    file = settings.workspace.models_dir / "version-7" / "model.txt"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def lose_pointer(settings: Settings) -> None:
    """Remove the pointer to the champion."""
    (settings.workspace.models_dir / "champion.json").unlink()


def open_secret(settings: Settings) -> None:
    """Let others read the secret."""
    settings.workspace.secret_file.chmod(0o644)


def lose_secret(settings: Settings) -> None:
    """Remove the secret."""
    settings.workspace.secret_file.unlink()


def cut_secret(settings: Settings) -> None:
    """Shorten the secret."""
    settings.workspace.secret_file.write_bytes(b"x")


def damage_database(settings: Settings) -> None:
    """Write something that is no database where it was."""
    settings.workspace.database_file.write_bytes(b"no database at all" * 100)


def empty_database(settings: Settings) -> None:
    """Replace the database by an empty one: nothing migrated yet."""
    for file in settings.workspace.root.glob("leadpact.db*"):
        file.unlink()
    settings.workspace.database_file.touch()


@pytest.mark.parametrize(
    ("spoil", "part", "text", "fix"),
    [
        pytest.param(spoil_history, "history", "damaged", "leadpact import", id="damaged-history"),
        pytest.param(spoil_model, "model", "refused", "leadpact model pull", id="damaged-model"),
        pytest.param(lose_pointer, "model", "no champion", "leadpact promote", id="no-champion"),
        pytest.param(open_secret, "secret", "mode 644", "chmod 600", id="open-secret"),
        pytest.param(lose_secret, "secret", "does not exist", "leadpact key create", id="no-secret"),
        pytest.param(cut_secret, "secret", "32 bytes", "backup", id="cut-secret"),
        pytest.param(
            damage_database, "database", "is damaged", "LEADPACT_DATABASE_URL", id="damaged-database"
        ),
        pytest.param(
            empty_database, "database", "not those of this version", "leadpact serve", id="not-migrated"
        ),
    ],
)
def test_each_wrong_part_is_named_with_its_repair(
    desk: Desk, spoil: Callable[[Settings], None], part: str, text: str, fix: str
) -> None:
    """The finding says what is wrong, the advice what to run; the other parts are still looked at."""
    settings = healthy(desk)
    spoil(settings)
    wrong = wrong_parts(settings)
    assert text in wrong[part].text
    assert fix in wrong[part].fix
    assert set(wrong) == {part}


def test_a_missing_signature_is_named_with_its_command(settings: Settings) -> None:
    """Which side has not signed, and what it runs."""
    install_champion(settings)
    install_key(settings, Scope.SCORE)
    database = prepare_database(settings.database)
    propose_policy(database, first_policy(), by="Maria Sommer", now=NOW)
    assert isinstance(active_policy(database, now=NOW), Missing)
    database.dispose()
    finding = wrong_parts(settings)["policy"]
    assert "not signed by marketing and sales" in finding.text
    assert "leadpact policy sign --side marketing --by NAME --version 1" in finding.fix


def test_the_command_has_words_json_and_an_exit_code(desk: Desk, tmp_path: Path) -> None:
    """0 when everything is there, 1 otherwise, and the same findings as JSON."""
    root = healthy(desk).workspace.root
    good, empty = run_leadpact(root, "doctor"), run_leadpact(tmp_path / "nothing", "doctor", "--json")
    assert (good.returncode, empty.returncode) == (0, 1)
    assert good.stdout.count("ok ") == len(PARTS)
    told = json.loads(empty.stdout)
    assert told["healthy"] is False
    assert "leadpact train" in str(told["findings"])
