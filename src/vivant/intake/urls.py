"""The URL of a picture, taken apart without changing a byte of what the server will see.

Signed links (S3, GCS, Azure, OSS, COS) are valid for exactly the text that was signed: `%2F` and `/` are two different
signatures. So nothing here is decoded, encoded again or put in order. Only what cannot be sent at all is rewritten, as
browsers do: host names in other scripts become punycode, and characters outside ASCII become percent-encoded UTF-8.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import idna

from vivant.addresses import is_host

_SCHEMES: Final = {"http": 80, "https": 443}
_PARTS: Final = re.compile(  # RFC 3986, appendix B
    r"(?:(?P<scheme>[a-z][a-z0-9+.-]*):)?(?://(?P<authority>[^/?#]*))?(?P<path>[^?#]*)(?P<query>\?[^#]*)?(?:#.*)?",
    re.IGNORECASE | re.DOTALL,
)
_AUTHORITY: Final = re.compile(r"(?P<host>\[[^\[\]]*\]|[^:\[\]]*)(?::(?P<port>[0-9]*))?")
_NOT_IN_A_URL: Final = re.compile(r"[\x00-\x20\x7f\\]")


@dataclass(frozen=True, slots=True)
class Url:
    """An http(s) URL without a user name and a fragment.

    host: lower case ASCII, an IPv6 address in brackets. port: 1 to 65535. target: path and query as they are sent
    (RFC 9112, 3.2.1), printable ASCII that begins with a slash. Raises ValueError for anything else.
    """

    scheme: str
    host: str
    port: int
    target: str

    def __post_init__(self) -> None:
        if self.scheme not in _SCHEMES:
            raise ValueError(f"scheme {self.scheme[:20]!r}")
        if not self.host.isascii() or self.host != self.host.lower() or "%" in self.host or not is_host(self.host):
            raise ValueError(f"{self.host[:80]!r} is no host")
        if not 0 < self.port < 65_536:
            raise ValueError(f"there is no port {self.port}")
        if not re.fullmatch(r"/[\x21-\x7e]*", self.target):
            raise ValueError("its path or query holds characters that cannot be sent")

    @property
    def host_header(self) -> str:
        """The value of the Host header (RFC 9110, 7.2)."""
        return self.host if self.port == _SCHEMES[self.scheme] else f"{self.host}:{self.port}"


def parse_url(text: str) -> Url:
    """The URL that this text is. Raises ValueError, saying what is wrong in the form of `scheme 'ftp'`."""
    if _NOT_IN_A_URL.search(text):
        raise ValueError("a URL holds no spaces, control characters or backslashes")
    parts = _PARTS.fullmatch(text)
    assert parts is not None  # the pattern matches every text
    if parts["scheme"] is None or parts["authority"] is None:
        raise ValueError("it is not of the form http://host/path")
    scheme = parts["scheme"].lower()
    if "@" in parts["authority"]:
        raise ValueError("a user name in the address")
    authority = _AUTHORITY.fullmatch(parts["authority"])
    if authority is None:
        raise ValueError("its host or port cannot be read")
    port = int(authority["port"][-6:] or 0) if authority["port"] else _SCHEMES.get(scheme, 0)
    target = _encode_non_ascii((parts["path"] or "/") + (parts["query"] or ""))
    return Url(scheme, to_ascii_host(authority["host"]), port, target)


def join_url(here: Url, location: bytes) -> Url:
    """Where a redirect to `location` leads (RFC 3986, 5.2). Raises ValueError.

    Dot segments are taken out of references without a host only: a whole URL stays as it was given.
    """
    text = _decode_location(location)
    parts = _PARTS.fullmatch(text)
    assert parts is not None
    if parts["scheme"] is not None:
        return parse_url(text)
    if parts["authority"] is not None:
        return parse_url(f"{here.scheme}:{text}")
    if _NOT_IN_A_URL.search(text):
        raise ValueError("a URL holds no control characters or backslashes")
    path, query = parts["path"], parts["query"]
    here_path = here.target.partition("?")[0]
    if not path:
        path = here_path
        query = query if query is not None else here.target[len(here_path) :]
    else:
        path = _remove_dot_segments(path if path.startswith("/") else here_path.rpartition("/")[0] + "/" + path)
    return Url(here.scheme, here.host, here.port, _encode_non_ascii(path + (query or "")))


def to_ascii_host(host: str) -> str:
    """The host in lower case, in punycode where it is not ASCII (UTS 46). Raises ValueError."""
    if host.isascii():
        return host.lower()
    if len(host) > 255:
        raise ValueError("its host is too long")
    try:
        return idna.encode(host, uts46=True).decode("ascii").lower()
    except idna.IDNAError:  # not by the rules of IDNA 2008, but emoji and the like are in use by those of 2003
        try:
            return host.encode("idna").decode("ascii").lower()
        except UnicodeError:
            raise ValueError(f"{host[:80]!r} is no host") from None


def _encode_non_ascii(text: str) -> str:
    """Characters outside ASCII as percent-encoded UTF-8; all others as they are. Raises ValueError for surrogates."""
    if text.isascii():
        return text
    return "".join(c if c < "\x80" else "".join(f"%{byte:02X}" for byte in c.encode()) for c in text)


def _decode_location(location: bytes) -> str:
    """A Location header as text. Bytes that are no UTF-8 are percent-encoded, and so are spaces, as browsers do."""
    location = location.strip(b" \t").replace(b" ", b"%20")
    try:
        return location.decode()
    except UnicodeDecodeError:
        return re.sub(rb"[\x80-\xff]", lambda byte: b"%%%02X" % byte[0][0], location).decode("ascii")


def _remove_dot_segments(path: str) -> str:
    """RFC 3986, 5.2.4, for a path that begins with a slash."""
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)
