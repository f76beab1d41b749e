"""What every command shares: help that reads well, and looking that leaves no trace."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.core import TyperCommand, TyperGroup

from serving.cli import COMMANDS, load_command
from serving.settings import Settings
from tests.builders_serving import Desk, install_champion
from tests.serving.processes import run_leadpact

TERMINAL_COLUMNS = 80


def every_command() -> Iterator[tuple[str, TyperCommand | TyperGroup]]:
    """Yield each command and each command of a group, by the words that call it."""
    for name in COMMANDS:
        command = load_command(name)
        yield name, command
        if isinstance(command, TyperGroup):
            yield from ((f"{name} {inner}", found) for inner, found in command.commands.items())  # type: ignore[misc]


@pytest.mark.parametrize(("words", "command"), list(every_command()))
def test_help_reads_well_on_a_small_terminal(words: str, command: TyperCommand | TyperGroup) -> None:
    """Nothing is cut, no default is taken for markup, every option says what it does."""
    context = command.make_context(f"leadpact {words}", [], resilient_parsing=True)
    context.terminal_width = TERMINAL_COLUMNS
    text = command.get_help(context)
    assert max(map(len, text.splitlines())) <= TERMINAL_COLUMNS
    assert "..." not in text.replace("COMMAND [ARGS]...", "")
    assert "completion" not in text
    assert all(parameter.help for parameter in command.params), text  # type: ignore[attr-defined]
    if words in ("serve", "demo"):
        assert "[default: 8000]" in text


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        pytest.param(("key", "list"), 0, id="key-list"),
        pytest.param(("key", "revoke", "zzzzzzzz"), 2, id="key-revoke"),
        pytest.param(("policy", "show"), 2, id="policy-show"),
        pytest.param(("policy", "sign", "--side", "sales", "--by", "Jonas Weber"), 2, id="policy-sign"),
        pytest.param(("score", "history", "scores.csv"), 1, id="score"),
        pytest.param(("doctor",), 1, id="doctor"),
    ],
)
def test_looking_creates_nothing(settings: Settings, arguments: tuple[str, ...], code: int) -> None:
    """A typo in --workspace must not leave a workspace behind."""
    done = run_leadpact(settings.workspace.root, *arguments)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert not settings.workspace.root.exists()


def test_looking_adds_no_database(settings: Settings, tmp_path: Path) -> None:
    """A workspace that has a model but no database yet stays like that."""
    install_champion(settings)
    before = sorted(path.name for path in settings.workspace.root.iterdir())
    done = run_leadpact(settings.workspace.root, "score", "history", str(tmp_path / "scores.csv"))
    assert "there is no policy" in done.stderr
    assert sorted(path.name for path in settings.workspace.root.iterdir()) == before


def test_the_policy_in_force_is_shown(desk: Desk) -> None:
    """Without a file it is the signed one."""
    shown = run_leadpact(desk.settings.workspace.root, "policy", "show", "--lang", "de")
    assert "# First agreement" in shown.stdout
