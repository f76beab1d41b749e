"""`leadpact key` as its users run it."""

import json
import re

from serving.settings import Settings
from tests.serving.processes import run_leadpact


def test_a_key_is_printed_once_and_only_it(settings: Settings) -> None:
    """Standard output is the key, so that a script can keep it; people read standard error."""
    root = settings.workspace.root
    made = run_leadpact(root, "key", "create", "--name", "crm", "--expires-days", "30")
    assert made.returncode == 0, made.stderr
    assert re.fullmatch(r"lp_[a-z0-9]{8}_[A-Za-z0-9_-]{43}\n", made.stdout)
    assert "It is shown once" in made.stderr
    prefix = made.stdout[3:11]
    listed = json.loads(run_leadpact(root, "key", "list", "--json").stdout)
    assert [(key["prefix"], key["name"], key["scopes"], key["usable"]) for key in listed] == [
        (prefix, "crm", ["read", "score"], True)
    ]
    assert run_leadpact(root, "key", "revoke", prefix).returncode == 0
    assert "not usable any more" in run_leadpact(root, "key", "list").stdout


def test_scopes_are_chosen(settings: Settings) -> None:
    """JSON for programs; every scope named is given, none besides."""
    made = run_leadpact(
        settings.workspace.root, "key", "create", "--name", "ops", "--scope", "admin", "--json"
    )
    told = json.loads(made.stdout)
    assert (told["name"], told["scopes"]) == ("ops", ["admin"])
    assert told["key"].startswith(f"lp_{told['prefix']}_")


def test_wrong_options_are_named(settings: Settings) -> None:
    """Exit code 2 and the value."""
    root = settings.workspace.root
    for options in (
        ("--name", "x", "--scope", "everything"),
        ("--name", " "),
        ("--name", "x", "--expires-days", "0"),
    ):
        done = run_leadpact(root, "key", "create", *options)
        assert done.returncode == 2
        assert done.stdout == ""
    unknown = run_leadpact(root, "key", "revoke", "zzzzzzzz")
    assert (unknown.returncode, "'zzzzzzzz'" in unknown.stderr) == (2, True)
