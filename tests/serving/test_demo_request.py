"""The command that the demo prints: pasted into a shell it says what was meant."""

import json
import shlex
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from serving.commands.demo_request import curl_command, example_request

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
KEY = "lp_abcdefgh_0123456789012345678901234567890123456789012"


def pasted(now: datetime = NOW) -> list[str]:
    """Return the words that a POSIX shell makes of the command."""
    return shlex.split(curl_command("http://127.0.0.1:8000", KEY, now).replace("\\\n", ""))


def test_the_command_survives_the_shell() -> None:
    """Address, key and body arrive as they were."""
    words = pasted()
    assert words[:3] == ["curl", "-s", "http://127.0.0.1:8000/v1/score"]
    assert f"X-API-Key: {KEY}" in words
    assert json.loads(words[words.index("-d") + 1]) == example_request(NOW)


def test_every_line_but_the_last_goes_on() -> None:
    """The command can be cut out of the output line by line."""
    lines = curl_command("http://127.0.0.1:8000", KEY, NOW).splitlines()
    assert all(line.endswith("\\") for line in lines[:-1])
    assert not lines[-1].endswith("\\")


@given(now=st.integers(0, 7000).map(lambda days: NOW + timedelta(days=days, minutes=days % 1440)))
def test_the_story_is_always_recent_and_never_in_the_future(now: datetime) -> None:
    """Whenever the demo starts, its lead asked for a demo within the last week, as the policy demands."""
    request = example_request(now)
    activities = request["activities"]
    assert isinstance(activities, list)
    times = [datetime.fromisoformat(activity["occurred_at"]) for activity in activities]
    assert times == sorted(times)
    assert all(now - timedelta(days=7) < time <= now for time in times)
    assert "demo_request" in {activity["kind"] for activity in activities}


def test_the_example_lead_has_only_attributes_of_the_simulated_crm() -> None:
    """An unknown attribute would greet the new user with a warning."""
    from experiments.simulator.export import ATTRIBUTE_LABELS

    lead = example_request(NOW)["lead"]
    assert isinstance(lead, dict)
    assert set(lead) - {"lead_id", "created_at"} <= set(ATTRIBUTE_LABELS)
