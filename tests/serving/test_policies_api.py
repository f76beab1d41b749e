"""The agreement over HTTP: two keys, two people, one policy; what is not allowed has its code."""

from collections.abc import Iterator
from typing import Any

import pytest

from features.errors import InputError
from serving.db.migrate import prepare_database
from serving.keys import Scope, read_or_create_secret
from serving.operations.create_api_key import create_api_key
from serving.operations.list_api_keys import list_api_keys
from serving.operations.list_audit import list_audit
from serving.operations.revoke_api_key import revoke_api_key
from serving.operations.verify_audit import verify_audit
from serving.settings import Settings
from tests.builders_serving import (
    MARKETING,
    NOW,
    SALES,
    Desk,
    first_policy,
    install_champion,
    install_key,
    open_desk,
    policy_version,
)
from tests.serving.conftest import closing

Answer = Any


@pytest.fixture
def table(settings: Settings) -> Iterator[Desk]:
    """Return a service without a policy; its key is the one of Maria in marketing."""
    install_champion(settings)
    yield from closing(open_desk(settings, ready=False))


@pytest.fixture
def sales_key(settings: Settings, table: Desk) -> str:
    """Return the key of Jonas in sales."""
    return install_key(settings, Scope.POLICY_SALES, Scope.READ, person=SALES)


def send(desk: Desk, path: str, body: object, key: str | None = None) -> Answer:
    """Post an act with a key."""
    return desk.post(f"/v1/policies{path}", body, **({} if key is None else {"X-API-Key": key}))


def state(desk: Desk, version: int) -> str:
    """Return where a version stands."""
    answer = desk.client.get(f"/v1/policies/{version}", headers={"X-API-Key": desk.key})
    return str(answer.json()["state"])


def test_from_draft_to_force(table: Desk, sales_key: str) -> None:
    """Drafted, proposed, commented, edited, signed by two people over HTTP; then leads are scored by it."""
    assert send(table, "", {"text": first_policy()}).json()["state"] == "draft"
    assert send(table, "/1/propose", {}).json()["state"] == "proposed"
    assert send(table, "/1/comments", {"text": "Vier Stunden sind kurz."}, sales_key).status_code == 200
    assert send(table, "/1/sign", {}).json()["signed_marketing"] == MARKETING
    assert state(table, 1) == "signed"
    edited = send(table, "", {"text": first_policy().replace('within = "4 h"', 'within = "5 h"')}).json()
    assert (edited["state"], edited["signed_marketing"]) == ("proposed", "")
    read = table.client.get("/v1/policies/1", headers={"X-API-Key": table.key}).json()
    signed = send(table, "/1/sign", {"policy_hash": read["policy_hash"]}, sales_key)
    assert signed.json()["state"] == "signed"
    assert send(table, "/1/sign", {}).json()["state"] == "active"
    active = table.client.get("/v1/policies/active", headers={"X-API-Key": table.key}).json()
    assert (active["version"], active["signed_sales"]) == (1, SALES)
    assert "5 working hours" in active["document_en"]
    assert "5 Stunden Arbeitszeit" in active["document_de"]
    acts = [(event["act"], event["side"]) for event in active["events"]]
    assert acts == [
        ("draft", "marketing"),
        ("propose", "marketing"),
        ("comment", "sales"),
        ("sign", "marketing"),
        ("edit", "marketing"),
        ("sign", "sales"),
        ("sign", "marketing"),
    ]
    table.clock.advance(3)
    scored = table.post("/v1/score", {"lead": {"lead_id": "x", "created_at": NOW.isoformat()}})
    assert scored.json()["policy_version"] == "1"
    database = prepare_database(table.settings.database)
    noted = [act.act for act in reversed(list_audit(database, limit=50)) if act.act.startswith("policy")]
    assert noted == [f"policy.{act}" for act, _ in acts] + ["policy.agreed"]
    assert verify_audit(database).is_whole
    database.dispose()


@pytest.mark.parametrize(
    ("path", "body", "by_sales", "status", "code"),
    [
        pytest.param("/1/withdraw", {}, True, 409, "policy_refused", id="not-theirs"),
        pytest.param("/1/reject", {"reason": "No."}, False, 409, "policy_refused", id="own"),
        pytest.param("/1/reject", {}, True, 422, "wrong_fields", id="no-reason"),
        pytest.param("/1/reject", {"reason": "  "}, True, 422, "wrong_input", id="blank-reason"),
        pytest.param("/1/sign", {"policy_hash": "0" * 64}, True, 409, "policy_refused", id="other-text"),
        pytest.param("/7/sign", {}, True, 404, "unknown_policy", id="unknown"),
        pytest.param("/one/sign", {}, True, 404, "unknown_policy", id="no-number"),
        pytest.param("/²/sign", {}, True, 404, "unknown_policy", id="odd-digit"),
        pytest.param("/1/propose", {}, False, 409, "policy_refused", id="twice"),
        pytest.param(
            "/1/propose", {"expires_at": "2020-01-01T00:00:00Z"}, False, 422, "wrong_input", id="expired"
        ),
        pytest.param("", {"text": "[policy]"}, True, 422, "wrong_policy", id="broken"),
        pytest.param(
            "", {"text": policy_version(2, "2020-01-01")}, True, 422, "wrong_policy", id="past-date"
        ),
        pytest.param(
            "", {"text": policy_version(2, "2027-03-01")}, True, 422, "wrong_policy", id="taken-date"
        ),
        pytest.param("/what-if", {"mql": 0.5, "sql": 0.4}, False, 409, "no_past_scores", id="no-history"),
    ],
)
def test_what_is_not_allowed_has_a_code(
    table: Desk, sales_key: str, path: str, body: object, by_sales: bool, status: int, code: str
) -> None:
    """Each refusal is a problem with its code, and nothing has changed."""
    send(table, "", {"text": policy_version(1, "2027-03-01")})
    send(table, "/1/propose", {})
    answer = send(table, path, body, sales_key if by_sales else None)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert state(table, 1) == "proposed"


def test_a_wrong_policy_names_every_mistake(table: Desk) -> None:
    """Each with its clause, rule and value."""
    text = policy_version(1, "2020-01-01").replace("enter = 0.12", "enter = 0.5")
    text = text.replace("least = 3", "least = 9")
    problem = send(table, "", {"text": text}).json()
    assert [(one["field"].split(": ")[1], one["value"]) for one in problem["errors"]] == [
        ("policy.valid_from", "'2020-01-01'"),
        ("thresholds #1.enter", "0.5"),
        ("thresholds #3.enter", "0.5"),
        ("attempts.least", "9"),
    ]


def test_mistakes_come_in_the_language_of_the_caller(table: Desk, sales_key: str) -> None:
    """A policy's mistakes and the refusals of its life, in German where German is read."""
    text = policy_version(1).replace("least = 3", "least = 9")
    german = {"Accept-Language": "de-DE"}
    problem = table.post("/v1/policies", {"text": text}, **german).json()
    assert problem["errors"][0]["rule"] == "darf nicht über most (8) liegen"
    assert problem["errors"][0]["field"].startswith("Zeile ")
    send(table, "", {"text": first_policy()})
    refused = table.post("/v1/policies/1/withdraw", {}, **german, **{"X-API-Key": sales_key}).json()
    assert refused["detail"] == ("Version 1 der Vereinbarung kann nur vom Marketing zurückgezogen werden")


def test_a_key_without_a_side_does_not_act(table: Desk, settings: Settings) -> None:
    """An admin is no party of the agreement."""
    key = install_key(settings, Scope.ADMIN, Scope.READ)
    answer = send(table, "", {"text": first_policy()}, key)
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")


def test_a_new_key_makes_no_second_person(table: Desk, settings: Settings) -> None:
    """Who signed for marketing and then gets a key of sales still cannot sign that version for sales."""
    send(table, "", {"text": first_policy()})
    send(table, "/1/propose", {})
    send(table, "/1/sign", {})
    with pytest.raises(InputError, match="for the other side; revoke it before"):
        install_key(settings, Scope.POLICY_SALES, person="maria  SOMMER")
    answer = send(table, "/1/sign", {}, change_role(settings))
    assert (answer.status_code, answer.json()["code"]) == (409, "policy_refused")
    assert "needs another person" in answer.json()["detail"]
    assert state(table, 1) == "signed"


def change_role(settings: Settings) -> str:
    """Take Maria's key of marketing and give her one of sales."""
    database = prepare_database(settings.database)
    for key in list_api_keys(database):
        if key.person is not None:
            revoke_api_key(database, key.prefix, now=NOW)
    new = create_api_key(
        database,
        name="sales",
        scopes=[Scope.POLICY_SALES],
        expires_at=None,
        secret=read_or_create_secret(settings.workspace.secret_file),
        now=NOW,
        person=MARKETING,
    )
    database.dispose()
    return new.text


@pytest.mark.parametrize(
    ("scopes", "person", "rule"),
    [
        pytest.param([Scope.POLICY_SALES], None, "acts for one person: name the person", id="nobody"),
        pytest.param([Scope.POLICY_SALES, Scope.POLICY_MARKETING], "Eva", "acts for one side", id="both"),
        pytest.param([Scope.READ], "Eva", "only with a scope of policy:marketing", id="no-side"),
        pytest.param([Scope.POLICY_SALES], "Eva\x00", "no control characters", id="odd-name"),
        pytest.param([Scope.POLICY_SALES], "\u200b", "1 to 200 characters", id="invisible-name"),
    ],
)
def test_keys_of_people_have_rules(
    settings: Settings, scopes: list[Scope], person: str | None, rule: str
) -> None:
    """One key, one person, one side."""
    with pytest.raises(InputError, match=rule):
        install_key(settings, *scopes, person=person)
