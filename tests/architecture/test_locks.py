"""The locks: what the demo installs stays light, and no file says where packages come from."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_only_the_tests_install_spark() -> None:
    """The demo's lock stays light; the other one holds hashes and names no address."""
    light, heavy = ((ROOT / name).read_text() for name in ("requirements.lock", "requirements-spark.lock"))
    assert "pyspark" not in light
    assert re.findall(r"^(\w+)==", heavy, re.MULTILINE) == ["py4j", "pyspark"]
    assert "--hash=sha256:" in heavy
    assert "://" not in heavy
