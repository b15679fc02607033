"""Signed links: a path, its expiry and an HMAC over both. Anybody with the link may read that one file until then."""

from __future__ import annotations

import hashlib
import hmac

from vivant.errors import NotAuthorized


def sign(secret: bytes, path: str, expires: int) -> str:
    """The signature of `path` until `expires` (Unix seconds): 64 hexadecimal digits."""
    return hmac.new(secret, f"GET\n{path}\n{expires}".encode(), hashlib.sha256).hexdigest()


def verify(secret: bytes, path: str, expires: str, signature: str, *, now: float) -> None:
    """Raise NotAuthorized unless `sign` made this signature and the link has not expired at `now` (Unix seconds)."""
    well_formed = expires.isascii() and expires.isdigit() and len(expires) <= 12 and signature.isascii()
    if not well_formed or not hmac.compare_digest(sign(secret, path, int(expires)), signature):
        raise NotAuthorized("The link is damaged: ask for the task again to get a new one.")
    if int(expires) < now:
        raise NotAuthorized("The link has expired: ask for the task again to get a new one.")
