"""`leadpact import` as a process: what it prints, and with which exit code it ends."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.builders_import import DEALS, LEADS, write_export


def leadpact_import(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    command = [sys.executable, "-c", "from serving.cli import main; main()", "import", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_report_for_people(tmp_path: Path) -> None:
    """The report counts every table, lists every problem, and says where the rejects are."""
    write_export(tmp_path / "export", deals=DEALS + "D3,L9,2026-02-01T08:00:00Z,won,,,,\n")
    done = leadpact_import(tmp_path / "export", "--workspace", tmp_path / "workspace")
    assert done.returncode == 0
    assert "deals.csv, row 3, column lead_id: must name a lead_id" in done.stdout
    assert "1 row(s) set aside in" in done.stdout
    assert "deals in the history: 1 won, 1 lost" in done.stdout
    again = leadpact_import(tmp_path / "export", "--workspace", tmp_path / "workspace")
    assert "CRM crm: unchanged" in again.stdout


def test_report_as_json(tmp_path: Path) -> None:
    """With --json standard output is one JSON document and nothing else."""
    write_export(tmp_path / "export", deals=DEALS + "D3,L9,2026-02-01T08:00:00Z,won,,,,\n")
    done = leadpact_import(tmp_path / "export", "--json", "-w", tmp_path / "workspace")
    report = json.loads(done.stdout)
    assert report["tables"]["deals"] == {
        "read": 3, "added": 2, "changed": 0, "unchanged": 0, "rejected": 1, "repeated": 0,
    }  # fmt: skip
    assert report["problems"][0]["code"] == "unknown_lead"
    assert Path(report["rejects_file"]).is_file()


@pytest.mark.parametrize(
    ("files", "flags", "said"),
    [
        pytest.param({"leads": ""}, (), "leads.csv: the file is empty", id="empty-file"),
        pytest.param({"leads": LEADS.replace("Z", "")}, (), "a time needs a zone", id="naive-times"),
        pytest.param({"crm": "[crm]\nnam = 1\n"}, (), "crm.toml, line 2, column crm.nam", id="mapping-typo"),
        pytest.param({"deals": DEALS.replace("won", "yes")}, ("--strict",), "--strict is given", id="strict"),
    ],
)
def test_wrong_input(tmp_path: Path, files: dict[str, str], flags: tuple[str, ...], said: str) -> None:
    """Wrong input ends with 2, clear lines, no traceback, and no workspace."""
    write_export(tmp_path / "export", **files)
    done = leadpact_import(tmp_path / "export", *flags, "-w", tmp_path / "workspace")
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "workspace").exists()
