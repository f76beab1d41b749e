"""`leadpact policy`, run as a person runs it, on a workspace of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sla.policy_file import policy_hash, read_policy
from tests.builders_policy import sound_text_with

TEXT = sound_text_with("valid_from = 2026-01-01", 'valid_from = "signed"')


def leadpact(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `leadpact policy …` in a folder with a fresh workspace."""
    command = [sys.executable, "-m", "serving", "policy", *arguments]
    root = str(Path(__file__).resolve().parents[2])
    environment = {
        "PYTHONPATH": root,
        "LEADPACT_WORKSPACE": str(folder / "workspace"),
        "PATH": "/usr/bin:/bin",
    }
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a sound policy."""
    (tmp_path / "policy.toml").write_text(TEXT, encoding="utf-8")
    return tmp_path


def test_check_says_ok(folder: Path) -> None:
    """A sound file is summed up in one line, and as JSON with its hash."""
    plain, as_json = (
        leadpact(folder, "check", "policy.toml"),
        leadpact(folder, "check", "policy.toml", "--json"),
    )
    assert (plain.returncode, plain.stderr) == (0, "")
    assert "policy.toml is ok: Pact, version 1 (personas 1, thresholds 2," in plain.stdout
    answer = json.loads(as_json.stdout)
    assert (answer["ok"], answer["hash"]) == (True, policy_hash(read_policy(TEXT)))


def test_check_names_every_mistake(folder: Path) -> None:
    """Exit code 2, one line for each mistake on standard error, or all of them as JSON."""
    text = TEXT.replace("enter = 0.12", "enter = 0.31").replace("least = 3", "least = 9")
    (folder / "policy.toml").write_text(text, encoding="utf-8")
    plain, as_json = (
        leadpact(folder, "check", "policy.toml"),
        leadpact(folder, "check", "policy.toml", "--json"),
    )
    assert (plain.returncode, as_json.returncode) == (2, 2)
    assert plain.stderr.splitlines() == [
        "leadpact: policy.toml has 2 problems:",
        (
            "  line 24: thresholds #1.enter must keep the MQL enter below the SQL enter (0.3) "
            "for everyone; got 0.31"
        ),
        "  line 51: attempts.least must not be above most (8); got 9",
    ]
    assert [one["line"] for one in json.loads(as_json.stdout)["problems"]] == [24, 51]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(("check", "nowhere.toml"), "nowhere.toml cannot be read: No such file", id="no-file"),
        pytest.param(("check", "."), "cannot be read: Is a directory", id="folder"),
        pytest.param(("show", "policy.toml", "--lang", "fr"), "must be en or de; got 'fr'", id="language"),
        pytest.param(("show",), "there is no policy", id="nothing-to-show"),
        pytest.param(
            ("sign", "--side", "sales", "--by", "Sam"), "there is no policy to sign", id="nothing-to-sign"
        ),
        pytest.param(
            ("sign", "--side", "sales", "--by", "Sam", "--version", "9"),
            "there is no policy to sign",
            id="nothing-to-sign",
        ),
    ],
)
def test_wrong_input_is_one_sentence(folder: Path, arguments: tuple[str, ...], message: str) -> None:
    """What cannot be done is said on standard error with exit code 2, without a traceback."""
    done = leadpact(folder, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_from_proposal_to_force(folder: Path) -> None:
    """Proposed, signed by two people, in force; shown from the database in both languages."""
    assert leadpact(folder, "propose", "policy.toml", "--by", "Mia").returncode == 0
    first = leadpact(folder, "sign", "--side", "marketing", "--by", "Mia")
    assert "is not signed by sales" in first.stdout
    other = leadpact(folder, "sign", "--side", "sales", "--by", "Sam", "--version", "9")
    assert (other.returncode, "no policy version 9" in other.stderr) == (2, True)
    same = leadpact(folder, "sign", "--side", "sales", "--by", "MIA")
    assert same.returncode == 2
    second = leadpact(folder, "sign", "--side", "sales", "--by", "Sam", "--version", "1")
    assert "policy version 1 is in force" in second.stdout
    assert "Vereinbarung zwischen Marketing und Vertrieb" in leadpact(folder, "show", "--lang", "de").stdout
    assert "Service level agreement" in leadpact(folder, "show").stdout


def test_show_falls_back_to_the_draft(folder: Path) -> None:
    """Without a policy in force the draft of the workspace is shown, and said to be one."""
    (folder / "workspace").mkdir()
    (folder / "workspace" / "policy.toml").write_text(TEXT, encoding="utf-8")
    done = leadpact(folder, "show")
    assert done.stdout.startswith("# Pact")
    assert "showing the draft" in done.stderr
