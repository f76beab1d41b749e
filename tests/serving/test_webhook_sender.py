"""How one message leaves: signed for the official library, to public addresses only, within its time."""

import socket
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from features.errors import InputError
from serving.crm.addresses import AddressRefusedError, read_target, refusal, resolve_name
from serving.crm.retries import LONGEST_REST, WAITS, DeliveryStatus, Sent, judge
from serving.crm.sealing import SecretLostError, seal, unseal
from serving.crm.sender import HttpSender, Outgoing
from serving.crm.signatures import make_secret, signed_headers
from tests.builders_serving import NOW
from tests.serving.receivers import running_receiver

HOSTILE_ADDRESSES = (
    *("127.0.0.1", "127.1.2.3", "0.0.0.1", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
    *("169.254.169.254", "100.64.0.1", "192.0.0.1", "192.0.0.8", "192.0.2.1", "192.88.99.1", "198.18.0.1"),
    *("198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
    *("::1", "::", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "::7f00:1"),
    *("64:ff9b::7f00:1", "64:ff9b:1::a00:1", "100::1", "2001::7f00:1", "2001:db8::1", "2001:10::1"),
    *("2002:7f00:1::", "2002:a00:1::1", "3fff::1", "5f00::1", "fc00::1", "fd12:3456::1", "fe80::1"),
    *("fe80::1%lo", "fec0::1", "ff02::1", "ff0e::1", "not an address", "", "1.2.3", "0x7f.1"),
)
HOSTILE_URLS = (
    *("http://receiver.test/", "ftp://receiver.test/", "file:///etc/passwd", "gopher://x/", "javascript:1"),
    *("https://user@receiver.test/", "https://user:word@receiver.test/", "https://receiver.test@evil.test/"),
    *(
        "https://",
        "https:///x",
        "https://receiver.test:0/",
        "https://receiver.test:99999/",
        "//receiver.test",
    ),
    *("https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://127.0.0.1/", "https://[fe80::1%25lo]/"),
    *("https://receiver.test/#part", "https://receiver.test/a b", "https://receiver.test/\r\nHost: x", ""),
    *("https://receiver.test/" + "x" * 2_000, "https://räceiver.test/", "https://169.254.169.254/latest"),
    *("https://[64:ff9b::7f00:1]/", "https://[::]/", "https://0.0.0.0/"),
)
WRITTEN_LOOPBACKS = ("2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0", "localhost")


def outgoing(url: str) -> Outgoing:
    """Return a message for a URL."""
    return Outgoing(url=url, headers=(("webhook-id", "msg_1"),), body=b"{}")


@given(st.binary(max_size=200), st.integers(1, 3))
def test_every_valid_secret_signs_for_the_official_library(body: bytes, count: int) -> None:
    """Whatever the body: each of the receiver's secrets verifies, another one does not."""
    text = body.decode("latin-1")
    secrets = [make_secret() for _ in range(count)]
    headers = dict(signed_headers(secrets, message_id="msg_1", body=text.encode(), now=NOW))
    with time_machine.travel(NOW + timedelta(minutes=2), tick=False):
        for secret in secrets:
            Webhook(secret).verify(text, headers, json_parse=False)
        with pytest.raises(WebhookVerificationError, match="No matching signature"):
            Webhook(make_secret()).verify(text, headers, json_parse=False)


def test_a_sealed_secret_opens_only_where_it_belongs() -> None:
    """With the workspace's file and for its webhook; the sealed text does not hold it."""
    secret = make_secret()
    sealed = seal(secret, webhook_id="wh_1", secret=b"s" * 32)
    assert secret.removeprefix("whsec_") not in sealed
    assert unseal(sealed, webhook_id="wh_1", secret=b"s" * 32) == secret
    for webhook_id, file in (("wh_2", b"s" * 32), ("wh_1", b"t" * 32)):
        with pytest.raises(SecretLostError, match="does not open"):
            unseal(sealed, webhook_id=webhook_id, secret=file)


@pytest.mark.parametrize("address", HOSTILE_ADDRESSES)
def test_an_address_that_is_not_public_gets_nothing(address: str) -> None:
    """However the name leads there, alone or beside a public address."""
    for found in ((address,), ("8.8.8.8", address)):
        sent = HttpSender(resolve=lambda *_, found=found: found)(outgoing("https://receiver.test/"))
        assert sent.status is None
        assert "leads to" in sent.reason


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "2a00:1450:4001::1"])
def test_public_addresses_are_allowed(address: str) -> None:
    """So that the refusals above are not for everybody."""
    assert refusal(address, allow_local=False) is None


@pytest.mark.parametrize("url", HOSTILE_URLS)
def test_a_url_that_breaks_a_rule_is_refused(url: str) -> None:
    """When it is added, with the rule and the value."""
    with pytest.raises(InputError, match="the URL of a webhook"):
        read_target(url, allow_local=False)


@pytest.mark.parametrize("host", WRITTEN_LOOPBACKS)
def test_no_spelling_of_loopback_is_connected_to(host: str) -> None:
    """By the system's own resolver: the listener sees no connection."""
    with running_receiver() as receiver:
        sent = HttpSender()(outgoing(f"https://{host}:{receiver.port}/"))
        assert sent.status is None
        assert receiver.connections == 0


@given(st.text(max_size=60), st.booleans())
def test_any_text_is_a_target_or_refused(text: str, allow_local: bool) -> None:
    """The parser of URLs has one error."""
    for url in (text, f"https://{text}"):
        with suppress(InputError):
            assert read_target(url, allow_local=allow_local).host


def test_a_message_arrives_signed_and_whole() -> None:
    """Over a real connection, to the address that was judged: the name is resolved once."""
    asked = []

    def resolve(host: str, port: int) -> tuple[str, ...]:
        asked.append((host, port))
        return ("127.0.0.1",)

    with running_receiver() as receiver:
        secret = make_secret()
        headers = signed_headers([secret], message_id="msg_1", body=b'{"a":1}', now=datetime.now(UTC))
        url = f"http://receiver.test:{receiver.port}/hook?of=crm"
        sent = HttpSender(allow_local=True, resolve=resolve)(
            Outgoing(url=url, headers=headers, body=b'{"a":1}')
        )
        assert (sent.status, asked) == (200, [("receiver.test", receiver.port)])
        (got,) = receiver.got
        assert Webhook(secret).verify(got.body, dict(got.headers)) == {"a": 1}
        assert got.headers["Host"] == f"receiver.test:{receiver.port}"
        assert got.headers["Content-Type"].startswith("application/cloudevents+json")


def test_a_redirect_is_not_followed() -> None:
    """It is an answer like any other that is not 2xx."""
    with running_receiver() as elsewhere, running_receiver() as receiver:
        receiver.answer = lambda _: (307, {"Location": elsewhere.url})
        sent = HttpSender(allow_local=True)(outgoing(receiver.url))
        assert (sent.status, sent.is_taken, elsewhere.connections) == (307, False, 0)


def test_a_receiver_that_drips_is_cut_off() -> None:
    """The time is for the whole try: one byte now and then does not keep it open."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        import threading

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                for byte in b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200:
                    try:
                        connection.send(bytes([byte]))
                    except OSError:
                        return
                    time.sleep(0.02)

        thread = threading.Thread(target=drip)
        thread.start()
        began = time.monotonic()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        sent = HttpSender(allow_local=True, send_seconds=0.3)(outgoing(url))
        assert (sent.status, sent.reason) == (None, "no answer within 0.3 seconds")
        assert time.monotonic() - began < 2
        thread.join()


def test_an_unknown_name_is_an_answer_too() -> None:
    """The resolver's refusal is a failed try, not an error."""
    with pytest.raises(AddressRefusedError, match="cannot be resolved"):
        resolve_name("receiver.invalid", 443)
    assert HttpSender()(outgoing("https://receiver.invalid/")).status is None


def test_the_waits_are_those_of_the_specification() -> None:
    """Ten tries in three days and some hours, each wait at most a tenth longer; then it is parked."""
    failed, at, message_id = Sent(status=500, reason="no"), NOW, "msg_1"
    moments = []
    for tries in range(1, len(WAITS) + 1):
        verdict = judge(failed, tries=tries, message_id=message_id, now=at)
        assert verdict.status is DeliveryStatus.PENDING
        assert WAITS[tries - 1] <= verdict.next_at - at <= WAITS[tries - 1] * 1.1
        at = verdict.next_at
        moments.append(at - NOW)
    assert timedelta(days=3) < moments[-1] < timedelta(days=3, hours=12)
    last = judge(failed, tries=len(WAITS) + 1, message_id=message_id, now=at)
    assert last.status is DeliveryStatus.PARKED


@pytest.mark.parametrize(
    ("status", "retry_after", "rest"),
    [
        pytest.param(429, "120", timedelta(minutes=2), id="seconds"),
        pytest.param(503, "Mon, 23 Nov 2026 10:00:00 GMT", timedelta(hours=1), id="a-date"),
        pytest.param(503, "Mon, 23 Nov 2020 10:00:00 GMT", timedelta(0), id="a-date-that-is-over"),
        pytest.param(429, "99999999999", LONGEST_REST, id="longer-than-a-day"),
        pytest.param(429, "soon", None, id="unreadable"),
        pytest.param(500, "120", None, id="not-busy"),
    ],
)
def test_retry_after_is_obeyed(status: int, retry_after: str, rest: timedelta | None) -> None:
    """A receiver that cannot keep up gets nothing at all until then."""
    sent = Sent(status=status, reason="no", retry_after=retry_after)
    verdict = judge(sent, tries=1, message_id="msg_1", now=NOW)
    assert verdict.rests_until == (None if rest is None else NOW + rest)
    assert verdict.next_at >= NOW + (rest or timedelta(0))


@given(st.text(max_size=40), st.sampled_from([200, 302, 410, 429, 500, None]), st.integers(1, 12))
def test_any_answer_has_a_verdict(retry_after: str, status: int | None, tries: int) -> None:
    """What a receiver writes into Retry-After breaks nothing and never shortens a wait."""
    sent = Sent(status=status, reason="x", retry_after=retry_after)
    verdict = judge(sent, tries=tries, message_id="msg_1", now=NOW)
    assert (verdict.status is DeliveryStatus.DELIVERED) == (status == 200)
    assert verdict.disables == (status == 410)
    assert verdict.next_at >= NOW
