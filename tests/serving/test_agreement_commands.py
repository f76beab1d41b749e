"""`leadpact policy …` and `leadpact audit …`, run as people run them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from serving.cli import main
from serving.settings import Settings
from tests.builders_serving import first_policy, install_champion, policy_version, small_history


@pytest.fixture
def leadpact(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str, str]]:
    """Return a way to run a command in the workspace: exit code, standard output, standard error."""
    monkeypatch.setenv("LEADPACT_WORKSPACE", str(settings.workspace.root))
    (tmp_path / "one.toml").write_text(first_policy(), encoding="utf-8")
    changed = (
        policy_version(2).replace("enter = 0.30", "enter = 0.60").replace('within = "4 h"', 'within = "3 h"')
    )
    (tmp_path / "two.toml").write_text(changed, encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = 0
        try:
            main(list(arguments))
        except SystemExit as end:
            code = int(end.code or 0)
        out, err = capsys.readouterr()
        return code, out, err

    return run


Run = Callable[..., tuple[int, str, str]]


def agree(run: Run) -> None:
    """Bring the first policy into force."""
    assert run("policy", "propose", "one.toml", "--side", "marketing", "--by", "Mia")[0] == 0
    assert run("policy", "sign", "--side", "marketing", "--by", "Mia")[0] == 0
    assert run("policy", "sign", "--side", "sales", "--by", "Sam")[0] == 0


def test_the_life_of_a_version(leadpact: Run) -> None:
    """Drafted, commented, proposed, withdrawn: each act is in the history and in the log."""
    assert leadpact("policy", "draft", "two.toml", "--side", "marketing", "--by", "Mia")[0] == 0
    assert leadpact("policy", "comment", "Zu früh?", "--side", "sales", "--by", "Sam")[0] == 0
    assert leadpact("policy", "propose", "two.toml", "--side", "marketing", "--by", "Mia")[0] == 0
    code, _, error = leadpact("policy", "withdraw", "--side", "sales", "--by", "Sam")
    assert (code, error) == (2, "leadpact: policy version 2 can be withdrawn only by marketing\n")
    assert leadpact("policy", "withdraw", "--side", "marketing", "--by", "Mia")[0] == 0
    code, out, _ = leadpact("policy", "history", "--lang", "de")
    assert [line.split("UTC  ")[1] for line in out.splitlines()] == [
        "entworfen  Mia (Marketing)",
        "kommentiert  Sam (Vertrieb): Zu früh?",
        "vorgeschlagen  Mia (Marketing)",
        "zurückgezogen  Mia (Marketing)",
    ]
    assert [one["act"] for one in json.loads(leadpact("policy", "history", "--json")[1])][-1] == "withdraw"
    assert "withdrawn" in leadpact("policy", "list")[1]
    log = json.loads(leadpact("audit", "list", "--json")[1])
    assert [one["act"] for one in reversed(log)] == [
        "policy.draft",
        "policy.comment",
        "policy.propose",
        "policy.withdraw",
    ]
    assert log[-1]["who"] == "Mia (marketing)"


def test_rejecting_needs_a_reason(leadpact: Run) -> None:
    """The other side says no, and why."""
    leadpact("policy", "propose", "one.toml", "--side", "marketing", "--by", "Mia")
    who = ("--side", "sales", "--by", "Sam")
    assert leadpact("policy", "reject", *who, "--reason", " ")[0] == 2
    assert leadpact("policy", "reject", *who, "--reason", "Too many leads.")[0] == 0
    assert "Too many leads." in leadpact("policy", "history")[1]
    assert json.loads(leadpact("policy", "list", "--json")[1])[0]["state"] == "rejected"


def test_a_diff_in_words_and_leads(leadpact: Run, settings: Settings) -> None:
    """What changes, and how many leads would change stage; without a model only the words."""
    agree(leadpact)
    code, out, _ = leadpact("policy", "diff", "two.toml")
    assert code == 0
    assert out.splitlines()[:2] == [
        "SQL threshold for everyone: until now 30 %, then 60 % (higher)",
        "SQL answered, everyone: until now within 4 working hours, then within 3 working hours (lower)",
    ]
    assert "stages are not compared: there is no champion" in out
    install_champion(settings)
    small_history(settings, 60)
    out = leadpact("policy", "diff", "active", "two.toml", "--lang", "de")[1]
    assert "SQL-Schwelle für alle: bisher 30 %, künftig 60 % (höher)" in out
    assert "offenen Leads der letzten 90 Tage würden die Stufe wechseln" in out
    answer = json.loads(leadpact("policy", "diff", "two.toml", "1", "--json")[1])
    assert [change["kind"] for change in answer["changes"]] == ["changed", "changed"]
    assert answer["stages"]["changing"] == sum(move["leads"] for move in answer["stages"]["moves"])
    assert leadpact("policy", "diff", "one.toml")[1].startswith("nothing changes\n")


def test_what_if_on_the_command_line(leadpact: Run, settings: Settings) -> None:
    """Thresholds given or those in force; a wrong pair is named; JSON for machines."""
    assert "give --mql and --sql" in leadpact("policy", "what-if")[2]
    install_champion(settings)
    small_history(settings, 120)
    agree(leadpact)
    out = leadpact("policy", "what-if", "--capacity-hours", "8", "--least-sqls", "0.1")[1]
    assert "MQL from 12.00%" in out
    assert "SQL from 30.00%" in out
    assert "SQL thresholds that keep both promises" in out
    answer = json.loads(leadpact("policy", "what-if", "--sql", "0.6", "--json")[1])
    assert (answer["mql"]["threshold"], answer["sql"]["threshold"]) == (0.12, 0.6)
    assert {move["before"] for move in answer["moves"]} == {"sql"}
    code, _, error = leadpact("policy", "what-if", "--mql", "0.7", "--sql", "0.6")
    assert (code, "must lie below sql" in error) == (2, True)


def test_the_log_is_verified(leadpact: Run, tmp_path: Path) -> None:
    """Whole it is said so; against a head that fits no more, exit code 1 and the entry."""
    assert "no database" in leadpact("audit", "verify")[2]
    agree(leadpact)
    assert "the audit log is whole: 4 entries" in leadpact("audit", "verify")[1]
    head = leadpact("audit", "head")[1]
    (tmp_path / "head.json").write_text(head, encoding="utf-8")
    assert leadpact("audit", "verify", "--head", "head.json")[0] == 0
    (tmp_path / "head.json").write_text(head.replace('"number": 4', '"number": 5'), encoding="utf-8")
    code, out, _ = leadpact("audit", "verify", "--head", "head.json")
    assert (code, out) == (1, "entry 5 was the head when it was exported; now the log ends with entry 4\n")
    assert json.loads(leadpact("audit", "verify", "--head", "head.json", "--json")[1])["whole"] is False
    (tmp_path / "head.json").write_text("[]", encoding="utf-8")
    assert (
        "must be what `leadpact audit head` printed" in leadpact("audit", "verify", "--head", "head.json")[2]
    )
    assert leadpact("audit", "verify", "--head", "nowhere.json")[0] == 2
    assert "policy.agreed" in leadpact("audit", "list", "--what", "policy version 1")[1]
