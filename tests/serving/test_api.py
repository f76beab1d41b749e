"""The HTTP contract: who may call, what is refused with which code, and the answers' shape."""

import asyncio
import json
import time
from typing import Any

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient
from starlette.types import Message

from serving.api.body import MOST_BODY_BYTES, read_json
from serving.api.errors import BodyTooSlowError
from serving.api.security import SECURITY_HEADERS
from serving.app import ROUTES
from serving.keys import Scope
from tests.builders_serving import NOW, Desk, install_key, random_request, small_history

MOST_SECONDS = 2.0
LEAD = {"lead_id": "L1", "created_at": "2026-11-01T00:00:00Z"}
ANSWER_KEYS = [
    "score_id",
    "lead_id",
    "as_of",
    "probability",
    "probability_low",
    "probability_high",
    "points",
    "stage",
    "stage_reason",
    "owner",
    "respond_by",
    "persona",
    "persona_confidence",
    "evidence",
    "reason_1",
    "reason_2",
    "reason_3",
    "reason_4",
    "reason_5",
    "reasons",
    "base_points",
    "model_version",
    "policy_version",
    "warnings",
]


def problem_of(response: Any) -> tuple[int, str]:
    """Return status and code, after checking that the answer is a complete problem document."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    body = response.json()
    assert list(body) == ["type", "code", "title", "status", "detail", "errors"]
    assert body["type"] == f"urn:leadpact:problem:{body['code']}"
    assert body["status"] == response.status_code
    assert body["detail"]
    return response.status_code, body["code"]


def test_a_score_has_the_fields_of_the_contract(shared_desk: Desk) -> None:
    """DESIGN 4.4, in its order, plus warnings; numbers are numbers and times are UTC."""
    answer = shared_desk.post("/v1/score", random_request(3)).json()
    assert list(answer) == ANSWER_KEYS
    assert answer["as_of"] == "2026-11-23T09:00:00Z"
    assert isinstance(answer["points"], int)
    assert answer["probability_low"] <= answer["probability"] <= answer["probability_high"]
    assert (answer["model_version"], answer["policy_version"], answer["evidence"]) == ("7", "1", "model")


def test_as_of_is_now_unless_given(shared_desk: Desk) -> None:
    """A caller that gives no time asks about now."""
    assert shared_desk.post("/v1/score", {"lead": LEAD}).json()["as_of"] == "2026-11-23T09:00:00Z"


@pytest.mark.parametrize(
    ("query", "headers", "body", "expected"),
    [
        pytest.param("", {}, {}, "points)", id="english-by-default"),
        pytest.param("", {"Accept-Language": "de-DE,de;q=0.9,en;q=0.5"}, {}, "Punkte)", id="header"),
        pytest.param("", {"Accept-Language": "fr, en;q=0.1, de;q=0.7"}, {}, "Punkte)", id="header-weights"),
        pytest.param("", {"Accept-Language": "de; q=0.9, en; q=0.8"}, {}, "Punkte)", id="header-with-spaces"),
        pytest.param("", {"Accept-Language": "de;q=0, *;q=x,,;;"}, {}, "points)", id="odd-header"),
        pytest.param("?lang=de", {"Accept-Language": "en"}, {}, "Punkte)", id="query-wins-over-header"),
        pytest.param("?lang=de", {}, {"lang": "en"}, "points)", id="body-wins-over-query"),
    ],
)
def test_the_language_asked_for(
    shared_desk: Desk, query: str, headers: dict[str, str], body: dict[str, str], expected: str
) -> None:
    """Body, then query, then Accept-Language, then English."""
    answer = shared_desk.post(f"/v1/score{query}", random_request(3) | body, **headers).json()
    assert answer["reason_1"].endswith(expected)


def test_an_unknown_language_in_the_query_is_named(shared_desk: Desk) -> None:
    """A typo is not answered in another language, also when the body names one."""
    for path, body in (("/v1/score", {"lead": LEAD}), ("/v1/score/batch", {"items": [{"lead": LEAD}]})):
        response = shared_desk.post(f"{path}?lang=fr", body | {"lang": "de"})
        assert problem_of(response) == (422, "wrong_fields")
        assert response.json()["errors"] == [
            {"field": "?lang", "rule": "must be one of en, de", "value": "fr"}
        ]


@pytest.mark.parametrize("send", ["X-API-Key", "Bearer", "bearer"])
def test_a_key_in_either_header(shared_desk: Desk, send: str) -> None:
    """CRMs differ in which header they can set."""
    headers = (
        {"X-API-Key": shared_desk.key}
        if send == "X-API-Key"
        else {"Authorization": f"{send} {shared_desk.key}"}
    )
    assert shared_desk.client.get("/v1/model", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="no-key"),
        pytest.param({"X-API-Key": ""}, id="empty-key"),
        pytest.param({"X-API-Key": "lp_aaaaaaaa_" + "a" * 43}, id="unknown-key"),
        pytest.param({"Authorization": "Basic eHl6"}, id="another-scheme"),
        pytest.param({"X-API-Key": "\u00e4\u00fc"}, id="not-ascii"),
    ],
)
def test_no_valid_key_is_one_answer(shared_desk: Desk, headers: dict[str, str]) -> None:
    """401 with the same words for all of them, and the challenge HTTP asks for."""
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    response = shared_desk.client.post("/v1/score", json={"lead": LEAD}, headers=encoded)
    assert problem_of(response) == (401, "key_refused")
    assert response.headers["www-authenticate"].startswith("Bearer")
    assert response.json()["detail"] == "the API key is missing, unknown, expired or revoked"


@pytest.mark.parametrize(
    ("scope", "method", "path"),
    [
        pytest.param(Scope.READ, "POST", "/v1/score", id="score"),
        pytest.param(Scope.READ, "POST", "/v1/score/batch", id="batch"),
        pytest.param(Scope.SCORE, "GET", "/v1/model", id="model"),
        pytest.param(Scope.READ, "POST", "/v1/model/reload", id="reload"),
    ],
)
def test_a_key_without_the_scope_is_told_which(
    shared_desk: Desk, scope: Scope, method: str, path: str
) -> None:
    """403 names what is missing; nothing was done."""
    key = install_key(shared_desk.settings, scope)
    response = shared_desk.client.request(method, path, json={}, headers={"X-API-Key": key})
    assert problem_of(response) == (403, "scope_missing")
    wanted = "admin" if "reload" in path else "score" if "score" in path else "read"
    assert response.json()["detail"] == f"this key lacks the scope '{wanted}'"


@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        pytest.param(b"{", {}, (400, "malformed_body"), id="malformed"),
        pytest.param(b'{"lead": {"lead_id": "\\ud800"}}', {}, (400, "malformed_body"), id="lone-surrogate"),
        pytest.param(b'{"lead": {"lead_id": "L", "x": NaN}}', {}, (400, "malformed_body"), id="nan"),
        pytest.param(b'{"lead": {"lead_id": "L", "x": 1e999}}', {}, (400, "malformed_body"), id="infinite"),
        pytest.param(
            b'{"lead": {"lead_id": "L"}, "lead": {}}', {}, (400, "malformed_body"), id="duplicate-key"
        ),
        pytest.param(b'{"lead": {"lead_id": "a\\u0000"}}', {}, (400, "malformed_body"), id="nul"),
        pytest.param(b"[" * 900 + b"]" * 900, {}, (400, "malformed_body"), id="too-deep"),
        pytest.param(b"null", {}, (422, "wrong_fields"), id="null"),
        pytest.param(b"[]", {}, (422, "wrong_fields"), id="a-list"),
        pytest.param(b"{}", {}, (422, "wrong_fields"), id="nothing-to-score"),
        pytest.param(b"{}", {"Content-Type": "text/plain"}, (415, "unsupported_body"), id="media-type"),
        pytest.param(
            b"{}", {"Content-Type": "application/x-www-form-urlencoded"}, (415, "unsupported_body"), id="form"
        ),
        pytest.param(b"{}", {"Content-Encoding": "gzip"}, (415, "unsupported_body"), id="gzip"),
        pytest.param(
            b"{}",
            {"Content-Type": "application/json; charset=latin-1"},
            (415, "unsupported_body"),
            id="charset",
        ),
        pytest.param(b" " * (MOST_BODY_BYTES + 1), {}, (413, "body_too_large"), id="too-large"),
    ],
)
def test_bodies_that_are_refused(
    shared_desk: Desk, body: bytes, headers: dict[str, str], expected: tuple[int, str]
) -> None:
    """Each way a body can be wrong has its status and code, on both routes that read one."""
    for path in ("/v1/score", "/v1/score/batch"):
        assert problem_of(shared_desk.post_bytes(path, body, **headers)) == expected


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON; Charset=UTF-8",
        'application/json;charset="utf-8"',
        "application/json; odata=verbose; charset=utf-8",
    ],
)
def test_json_is_read_however_it_is_announced(shared_desk: Desk, content_type: str) -> None:
    """CRMs add parameters that mean nothing here."""
    body = b'{"lead": {"lead_id": "L1"}}'
    assert shared_desk.post_bytes("/v1/score", body, **{"Content-Type": content_type}).status_code == 200


@pytest.mark.parametrize("body", [b"null", b"7", b'"L1"', b"[]"])
def test_what_is_no_object_is_one_problem(shared_desk: Desk, body: bytes) -> None:
    """Fields are asked for only where there could be some."""
    for path in ("/v1/score", "/v1/score/batch"):
        errors = shared_desk.post_bytes(path, body).json()["errors"]
        assert [error["field"] for error in errors] == ["body"]


def test_a_body_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time holds for the whole body, so that a client cannot hold a connection by a byte now and then."""

    async def trickle() -> Message:
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b" ", "more_body": True}

    monkeypatch.setattr("serving.api.body.READ_TIMEOUT_SECONDS", 0.1)
    request = Request({"type": "http", "method": "POST", "headers": []}, trickle)
    with pytest.raises(BodyTooSlowError, match="did not arrive within"):
        asyncio.run(read_json(request))


def test_a_body_without_a_length_is_cut_off(shared_desk: Desk) -> None:
    """The limit holds while the body streams, not only where its size is announced."""
    sent = 0

    def endless() -> Any:
        nonlocal sent
        for _ in range(20):
            sent += 1
            yield b" " * (1024 * 1024)

    headers = {"X-API-Key": shared_desk.key, "Content-Type": "application/json"}
    response = shared_desk.client.post("/v1/score", content=endless(), headers=headers)
    assert problem_of(response) == (413, "body_too_large")


def test_oversized_headers_are_refused(shared_desk: Desk) -> None:
    """The server's own limit holds only for headers that arrive in pieces."""
    response = shared_desk.client.get("/healthz", headers={"X-Big": "a" * 70_000})
    assert problem_of(response) == (431, "headers_too_large")
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        pytest.param(
            {"lead": LEAD, "lead_id": "L1"}, [("lead_id", "must be absent when")], id="inline-and-stored"
        ),
        pytest.param(
            {"lead_id": "L1", "activities": [{"kind": "call", "occurred_at": "2026-01-01T00:00:00Z"}]},
            [("activities", "must be absent for a stored lead")],
            id="activities-of-a-stored-lead",
        ),
        pytest.param(
            {"lead": LEAD, "as_of": "2026-11-23T09:05:01Z"},
            [("as_of", "must not lie in the future")],
            id="future",
        ),
        pytest.param(
            {"lead": LEAD, "as_of": "2026-10-01T00:00:00Z", "stage_since": "2026-10-02T00:00:00Z"},
            [("lead.created_at", "must not lie after as_of"), ("stage_since", "must not lie after as_of")],
            id="created-after-as-of",
        ),
        pytest.param(
            {"lead": {"created_at": "2026-11-01"}, "lan": "de"},
            [
                ("lead.created_at", "must carry a time zone"),
                ("lead.lead_id", "is required"),
                ("lan", "is not a known field; did you mean 'lang'?"),
            ],
            id="everything-at-once",
        ),
        pytest.param(
            {
                "lead_id": "L1",
                "attribute_changes": [{"attribute": "a", "changed_at": "2026-01-01T00:00:00Z"}],
            },
            [("attribute_changes", "must be absent for a stored lead")],
            id="changes-of-a-stored-lead",
        ),
        pytest.param(
            {"lead": LEAD, "attribute_changes": [{"attribute": "industry", "changed_at": "soon"}]},
            [("attribute_changes[0].changed_at", "must be an ISO 8601 time with a zone")],
            id="time-of-a-change",
        ),
        pytest.param(
            {"lead": LEAD, "activities": [{}] * 10_001},
            [("activities", "must have 0 to 10,000")],
            id="activities",
        ),
        pytest.param({"lead": None}, [("lead", "must be an object, not null")], id="null-lead"),
    ],
)
def test_wrong_fields_are_all_named(
    shared_desk: Desk, body: dict[str, Any], errors: list[tuple[str, str]]
) -> None:
    """422 with field, rule and value of each problem."""
    response = shared_desk.post("/v1/score", body)
    assert problem_of(response) == (422, "wrong_fields")
    found = response.json()["errors"]
    assert [error["field"] for error in found] == [field for field, _ in errors]
    assert all(error["rule"].startswith(rule) for error, (_, rule) in zip(found, errors, strict=True)), found


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({f"a{number}": 1 for number in range(200_000)}, id="unknown-fields"),
        pytest.param({"lead": LEAD, "activities": [{"kindd": 1}] * 10_000}, id="wrong-activities"),
        pytest.param({"lead": LEAD, "activities": [{str(n): 1 for n in range(200_000)}]}, id="one-activity"),
    ],
)
def test_a_body_of_mistakes_holds_nobody_up(shared_desk: Desk, body: dict[str, Any]) -> None:
    """A hundred problems are enough to see what is wrong; all of them once took ten seconds."""
    sent, began = json.dumps(body).encode(), time.monotonic()
    response = shared_desk.post_bytes("/v1/score", sent)
    assert time.monotonic() - began < MOST_SECONDS
    assert problem_of(response) == (422, "wrong_fields")
    assert response.json()["detail"] == "at least 100 fields of the body must be corrected"
    assert len(response.json()["errors"]) == 100


def test_a_clock_slightly_ahead_is_forgiven(shared_desk: Desk) -> None:
    """Five minutes are the tolerance, and the score is about the instant asked for."""
    response = shared_desk.post("/v1/score", {"lead": LEAD, "as_of": "2026-11-23T09:05:00Z"})
    assert response.json()["as_of"] == "2026-11-23T09:05:00Z"


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        pytest.param("GET", "/", (404, "unknown_route"), id="root"),
        pytest.param("GET", "/docs", (404, "unknown_route"), id="no-docs-page"),
        pytest.param("GET", "/v1/score/", (404, "unknown_route"), id="slash"),
        pytest.param("GET", "/v1/score", (405, "method_not_allowed"), id="get-score"),
        pytest.param("DELETE", "/healthz", (405, "method_not_allowed"), id="delete-health"),
        pytest.param("TRACE", "/v1/model", (405, "method_not_allowed"), id="trace"),
    ],
)
def test_routing_errors_are_problems_too(
    shared_desk: Desk, method: str, path: str, expected: tuple[int, str]
) -> None:
    """Whatever is asked, the answer has one form."""
    response = shared_desk.client.request(method, path)
    assert problem_of(response) == expected
    assert expected[0] != 405 or response.headers["allow"]


@pytest.mark.parametrize(
    ("method", "path"), [(method, path) for method, path, _ in ROUTES] + [("GET", "/nowhere")]
)
def test_every_answer_carries_the_security_headers(shared_desk: Desk, method: str, path: str) -> None:
    """Golden headers on every route, good or bad; and nobody tells which server this is."""
    for headers in ({}, {"X-API-Key": shared_desk.key}):
        response = shared_desk.client.request(method, path, headers=headers)
        for name, value in SECURITY_HEADERS:
            assert response.headers[name] == value
        assert "server" not in response.headers


def test_head_is_get_without_a_body(shared_desk: Desk) -> None:
    """Load balancers ask with HEAD."""
    assert shared_desk.client.head("/healthz").status_code == 200


def test_an_unforeseen_error_says_nothing_about_the_inside(desk: Desk) -> None:
    """A 500 is a problem document as well, without a traceback."""

    async def explode() -> None:
        raise ZeroDivisionError("secret detail")

    desk.app.state.service.scorer = explode
    response = desk.post("/v1/score", {"lead": LEAD})
    assert problem_of(response) == (500, "unforeseen")
    assert "secret detail" not in response.text
    assert all(response.headers[name] == value for name, value in SECURITY_HEADERS)


def test_a_batch_answers_every_item_in_order(desk: Desk) -> None:
    """Right, wrong, unknown, stored: each for itself, neighbours untouched."""
    small_history(desk.settings, 3)
    alone = desk.post("/v1/score", random_request(5)).json()
    items = [random_request(5), {"lead": {}}, {"lead_id": "nobody"}, 7, {"lead_id": "L1"}]
    body = desk.post("/v1/score/batch", {"items": items}).json()
    codes = [item.get("error", {}).get("code") for item in body["items"]]
    assert codes == [None, "wrong_fields", "unknown_lead", "wrong_fields", None]
    assert body["items"][0] == alone
    assert body["items"][4]["lead_id"] == "L1"
    assert (body["scored"], body["failed"]) == (2, 3)


@pytest.mark.parametrize(
    ("items", "status"),
    [
        pytest.param([], 422, id="none"),
        pytest.param([{"lead": LEAD}] * 1_000, 200, id="the-most"),
        pytest.param([{"lead": LEAD}] * 1_001, 422, id="one-too-many"),
        pytest.param({"lead": LEAD}, 422, id="not-a-list"),
    ],
)
def test_a_batch_has_one_to_a_thousand_items(shared_desk: Desk, items: object, status: int) -> None:
    """Outside of that nothing is scored."""
    assert shared_desk.post("/v1/score/batch", {"items": items}).status_code == status


def test_the_language_of_a_batch_holds_for_its_items(shared_desk: Desk) -> None:
    """Unless an item has its own."""
    items = [random_request(3), random_request(3) | {"lang": "en"}]
    body = shared_desk.post("/v1/score/batch", {"items": items, "lang": "de"}).json()
    assert [item["reason_1"].split()[-1] for item in body["items"]] == ["Punkte)", "points)"]


def test_the_model_in_service_is_described(shared_desk: Desk) -> None:
    """What scores, and how good it was."""
    model = shared_desk.client.get("/v1/model", headers={"X-API-Key": shared_desk.key}).json()
    assert (model["version"], model["horizon_days"], model["crm_name"]) == ("7", 90, "test")
    assert {"name": "auc", "value": 0.8} in model["metrics"]
    assert "employees" in model["features"]


def test_a_stored_lead_is_scored_by_its_id(desk: Desk) -> None:
    """404 for who is not there, before and after there is a history."""
    before = desk.post("/v1/score", {"lead_id": "L1"})
    small_history(desk.settings, 3)
    after = desk.post("/v1/score", {"lead_id": "L1"})
    assert (problem_of(before), after.status_code) == ((404, "unknown_lead"), 200)
    assert desk.post("/v1/score", {"lead_id": "L1", "as_of": NOW.isoformat()}).json() == after.json()


def test_requests_are_independent(shared_desk: Desk) -> None:
    """The same body gives the same bytes, whatever was asked in between."""
    first = shared_desk.post("/v1/score", random_request(1)).content
    shared_desk.post("/v1/score", random_request(2))
    assert shared_desk.post("/v1/score", random_request(1)).content == first


def test_the_client_needs_no_lifespan(shared_desk: Desk) -> None:
    """The service answers with and without the server's start and stop events."""
    with TestClient(shared_desk.app) as client:
        assert client.get("/readyz").json()["status"] == "ready"
