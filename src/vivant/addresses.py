"""Which addresses are public. A table of our own, because the standard library's differs between Python versions and
accepts IPv6 forms that contain an IPv4 address (Python 3.11's `is_global` passes 2002:7f00:1:: and 64:ff9b::7f00:1).

Knows numbers and what a host name looks like: no sockets.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# IANA special-purpose registries (RFC 6890 and its updates), plus what is reserved elsewhere.
_NOT_PUBLIC_4: Final = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network (RFC 791)
        "10.0.0.0/8",  # private (RFC 1918)
        "100.64.0.0/10",  # carrier-grade NAT (RFC 6598); Alibaba Cloud metadata lives here
        "127.0.0.0/8",  # loopback (RFC 1122)
        "168.63.129.16/32",  # Azure's host agent, although a public address
        "169.254.0.0/16",  # link local (RFC 3927); cloud metadata
        "172.16.0.0/12",  # private (RFC 1918)
        "192.0.0.0/24",  # IETF protocol assignments (RFC 6890); Oracle Cloud metadata
        "192.0.2.0/24",  # documentation (RFC 5737)
        "192.31.196.0/24",  # AS112 (RFC 7535)
        "192.52.193.0/24",  # AMT (RFC 7450)
        "192.88.99.0/24",  # 6to4 relays, withdrawn (RFC 7526)
        "192.168.0.0/16",  # private (RFC 1918)
        "192.175.48.0/24",  # AS112 (RFC 7534)
        "198.18.0.0/15",  # benchmarks (RFC 2544)
        "198.51.100.0/24",  # documentation (RFC 5737)
        "203.0.113.0/24",  # documentation (RFC 5737)
        "224.0.0.0/4",  # multicast (RFC 5771)
        "240.0.0.0/4",  # reserved and broadcast (RFC 1112, RFC 919)
    )
)
# Only 2000::/3 is global unicast (RFC 4291); inside it, these are not.
_UNICAST_6: Final = IPv6Network("2000::/3")
_NOT_PUBLIC_6: Final = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # IETF protocol assignments (RFC 2928): Teredo, ORCHID, benchmarks
        "2001:db8::/32",  # documentation (RFC 3849)
        "2002::/16",  # 6to4 (RFC 3056), withdrawn in practice; the inner address is judged besides
        "2620:4f:8000::/48",  # AS112 (RFC 7534)
        "3fff::/20",  # documentation (RFC 9637)
    )
)
# Labels of 1 to 63 letters, digits, - and _, without - at an end; the last is no number, which an IPv4 address ends in.
_HOST_NAME: Final = re.compile(r"(?=.{1,253}$)(?:(?!-)[\w-]{1,63}(?<!-)\.)*(?!-|[0-9]+$)[\w-]{1,63}(?<!-)")
_NAT64: Final = IPv6Network("64:ff9b::/96")  # RFC 6052; reaches an IPv4 host through a translator


def is_public(address: Address) -> bool:
    """Whether everybody on the Internet would reach the same host at this address.

    An IPv6 address that contains an IPv4 one (mapped, compatible, NAT64, 6to4, Teredo) is public only if the outer one
    may be connected to at all and the inner address is public.
    """
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_4)
    if address.scope_id is not None:
        return False
    if address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    if address in _NAT64:
        return is_public(IPv4Address(int(address) & 0xFFFF_FFFF))
    return address in _UNICAST_6 and not any(address in network for network in _NOT_PUBLIC_6)


def unwrap_mapped(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one if the system would connect to it (mapped); else the address."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def is_host(text: str) -> bool:
    """Whether this can be the host of a URL: a name, an IPv4 address, or an IPv6 address in brackets."""
    if is_host_name(text):
        return True
    try:
        return isinstance(parse_address(text), IPv6Address) == text.startswith("[")
    except ValueError:
        return False


def is_host_name(text: str) -> bool:
    """Whether this has the form of a host name, with or without the dot of the root."""
    return _HOST_NAME.fullmatch(text.removesuffix(".")) is not None


def parse_address(text: str) -> Address:
    """A numeric address, with or without brackets. Raises ValueError."""
    return ip_address(_without_brackets(text))


def parse_network(text: str) -> Network:
    """A CIDR network or a single address. Raises ValueError, also when host bits are set."""
    return ip_network(_without_brackets(text))


def _without_brackets(text: str) -> str:
    return text[1:-1] if text.startswith("[") and text.endswith("]") else text
