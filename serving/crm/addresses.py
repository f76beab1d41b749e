"""Whom a webhook may reach: public addresses over https, judged when the name is resolved.

A name is resolved once per try; every address it has must be public, and the connection goes to one of the
addresses that were judged, so that a name that answers differently a moment later changes nothing. Local
receivers, and plain http, are for development (`LEADPACT_WEBHOOKS_ALLOW_LOCAL`).
"""

import ipaddress
import socket
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from features.errors import InputError, LeadPactError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], tuple[str, ...]]

LONGEST_URL = 2_000
PORTS = {"https": 443, "http": 80}
GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
"""The only part of IPv6 that is routed to single receivers (RFC 4291); the rest is refused unseen."""
SPECIAL = tuple(
    map(
        ipaddress.ip_network,
        (
            "192.0.0.0/24",  # protocol assignments (RFC 6890)
            "192.88.99.0/24",  # 6to4 relays (RFC 7526)
            "2001::/23",  # Teredo and other assignments: may hold an address of the private IPv4 (RFC 2928)
            "2002::/16",  # 6to4: holds any address of IPv4 (RFC 3056)
            "3fff::/20",  # documentation (RFC 9637)
        ),
    )
)


class AddressRefusedError(LeadPactError):
    """A name leads to an address that messages must not go to, or to none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where messages go: the parts of a URL that a connection needs."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The `Host` header: the name, with the port unless it is the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def read_target(url: str, *, allow_local: bool) -> Target:
    """Return the parts of a URL, or raise `InputError` with the rule it breaks."""
    parts, port = _split(url)
    rules = (
        (len(url) <= LONGEST_URL, f"must have at most {LONGEST_URL:,} characters"),
        (url.isascii() and url.isprintable() and " " not in url, "must be plain ASCII without blanks"),
        (parts.scheme in (PORTS if allow_local else ("https",)), "must begin with https://"),
        (parts.username is None and parts.password is None, "must not hold a user or a password"),
        (not parts.fragment, "must not have a part after #"),
        (bool(parts.hostname), "must name a host"),
    )
    for is_kept, rule in rules:
        if not is_kept:
            raise _wrong(url, rule)
    host = str(parts.hostname)
    _refuse_written_address(url, host, allow_local=allow_local)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(scheme=parts.scheme, host=host, port=port or PORTS[parts.scheme], path=path)


def pinned_address(target: Target, resolve: Resolver, *, allow_local: bool) -> str:
    """Return the address to connect to; raises `AddressRefusedError` unless every address is allowed."""
    found = resolve(target.host, target.port)
    if not found:
        raise AddressRefusedError(f"{target.host} has no address")
    for text in found:
        reason = refusal(text, allow_local=allow_local)
        if reason is not None:
            raise AddressRefusedError(f"{target.host} leads to {text[:60]}, which {reason}")
    return found[0]


def refusal(text: str, *, allow_local: bool) -> str | None:
    """Return why an address is not one for messages, or None."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return "is no address"
    if allow_local:
        return "is for many receivers" if address.is_multicast else None
    return None if _is_public(address) else "is not public"


def resolve_name(host: str, port: int) -> tuple[str, ...]:
    """Ask the system's resolver; raises `AddressRefusedError` when it knows nothing."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    except (OSError, UnicodeError) as error:
        raise AddressRefusedError(f"{host} cannot be resolved: {error}") from error
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and address not in GLOBAL_UNICAST:
        return False
    is_special = any(address in network for network in SPECIAL if network.version == address.version)
    return address.is_global and not address.is_multicast and not address.is_reserved and not is_special


def _split(url: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _wrong(url, f"cannot be read: {error}") from error
    if port == 0:
        raise _wrong(url, "must have a port from 1 to 65535")
    return parts, port


def _refuse_written_address(url: str, host: str, *, allow_local: bool) -> None:
    """Refuse an address that is written out and not allowed; names are judged when they are resolved."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return
    reason = refusal(host, allow_local=allow_local)
    if reason is not None:
        raise _wrong(url, f"names the address {host}, which {reason}")


def _wrong(url: str, rule: str) -> InputError:
    return InputError(f"the URL of a webhook {rule}; got {url[:80]!r}")
