"""The policy as a file: what is written reads back equal, and its hash is about meaning."""

import tomllib
from datetime import UTC, datetime
from importlib import resources

from hypothesis import given, settings

from sla.business_time import Opening
from sla.policy import Policy
from sla.policy_checks import check_policy
from sla.policy_file import policy_hash, read_policy, write_policy
from sla.policy_writer import write_persona
from sla.stages import Side, Stage
from tests.builders_policy import POLICY, SOUND_TEXT, policies, policy_with, sound_text_with


@settings(max_examples=60)
@given(policies())
def test_what_is_written_reads_back_equal(policy: Policy) -> None:
    """Any policy survives being written, and its written form and hash do not change by it."""
    text = write_policy(policy)
    again = read_policy(text)
    assert again == policy
    assert write_policy(again) == text
    assert policy_hash(again) == policy_hash(policy)
    assert check_policy(policy) == ()


@settings(max_examples=30)
@given(policies())
def test_personas_are_written_one_by_one(policy: Policy) -> None:
    """Each table alone reads as it does in the whole file: a draft can be put into a policy."""
    tables = tomllib.loads("".join(write_persona(one) for one in policy.personas))
    assert tables == {
        name: rows for name, rows in tomllib.loads(write_policy(policy)).items() if name == "personas"
    }


def test_the_sound_policy_is_sound() -> None:
    """The file every bad case starts from has no mistake."""
    policy = read_policy(SOUND_TEXT)
    assert policy.name == "Pact"
    assert policy.hours.weekdays[0] == (Opening(540, 750), Opening(780, 1050))
    assert policy.hours.weekdays[1] == ()
    assert policy.valid_from == datetime(2025, 12, 31, 23, tzinfo=UTC)


def test_the_first_policy_suits_the_demo() -> None:
    """The policy that ships is sound, and knows the personas, sides and stages the demo shows."""
    text = resources.files("sla.templates").joinpath("first_policy.toml").read_text(encoding="utf-8")
    policy = read_policy(text)
    assert [one.name for one in policy.personas] == ["economic_buyer", "technical_buyer", "user_champion"]
    assert policy.response_for(Stage.SQL, None) is not None
    assert all(
        policy.content_for(stage, one.name) for one in policy.personas for stage in (Stage.MQL, Stage.SQL)
    )
    assert read_policy(write_policy(policy)) == policy
    assert [side.value for side in Side if f"--side {side}" not in text] == []


def test_equal_policies_have_one_hash_and_others_another() -> None:
    """The hash is about meaning: layout and 50 or 50.0 do not matter, every clause does."""
    loose = SOUND_TEXT.replace("at_least = 50", "at_least = 50.0").replace("[hours]", "# when\n[hours]")
    assert policy_hash(read_policy(loose)) == policy_hash(read_policy(SOUND_TEXT))
    for old, new in (("0.12", "0.13"), ('"4 h"', '"5 h"'), ("Prices", "Price"), ("= 50", "= 51")):
        assert policy_hash(read_policy(sound_text_with(old, new))) != policy_hash(read_policy(SOUND_TEXT))


def test_windows_files_are_read() -> None:
    """A byte order mark and Windows line ends are no mistake."""
    policy = read_policy(("\ufeff" + SOUND_TEXT.replace("\n", "\r\n")).encode())
    assert policy == read_policy(SOUND_TEXT)


def test_a_policy_built_by_hand_is_checked_too() -> None:
    """The rules between clauses also hold without a file, and name the clause."""
    twice = policy_with(thresholds=POLICY.thresholds + POLICY.thresholds[:1])
    (finding,) = check_policy(twice)
    assert finding.path == ("thresholds", 3)


@settings(max_examples=20)
@given(policies())
def test_one_persona_is_written_as_in_its_policy(policy: Policy) -> None:
    """What is suggested for a policy has the form in which a policy keeps it."""
    assert all(write_persona(persona) in write_policy(policy) for persona in policy.personas)
