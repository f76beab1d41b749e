"""What a serving process loads: no trainer, no data frame, no MLflow."""

import json
import subprocess
import sys

from tests.builders_serving import Desk, random_request

HEAVY = ("mlflow", "pandas", "sklearn", "lightgbm", "scipy.stats", "scipy.optimize", "matplotlib", "optuna")

SCRIPT = """
import json, sys
from starlette.testclient import TestClient
from serving.app import create_app
from serving.settings import read_settings

client = TestClient(create_app(read_settings()))
body, key = json.loads(sys.argv[1]), sys.argv[2]
for sent in (body, {"lead_id": "L1"}):
    answer = client.post("/v1/score", json=sent, headers={"X-API-Key": key})
    assert answer.status_code in (200, 404), answer.text
print([name for name in %r if name in sys.modules])
"""


def test_a_score_loads_nothing_heavy(desk: Desk) -> None:
    """Read from the module list of a fresh process after real scores, inline and by id."""
    body = json.dumps(random_request(1) | {"as_of": None})
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT % (HEAVY,), body, desk.key],
        env={"LEADPACT_WORKSPACE": str(desk.settings.workspace.root), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
