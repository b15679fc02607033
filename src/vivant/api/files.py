"""Finished files over HTTP: signed links, conditional requests and byte ranges (RFC 9110, 13 and 14).

The signed link is the permission; keys and cookies are ignored.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from vivant.api.context import Context
from vivant.api.http_errors import RangeNotSatisfiable
from vivant.storage.downloads import StoredFile

# No scripts, whatever the file holds; but the page that a browser makes around a film may load that film. `sandbox`
# would forbid even that: it gives the page an origin of its own, so that its own address is no longer 'self'.
_POLICY: Final = "default-src 'none'; media-src 'self'; style-src 'unsafe-inline'"
_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def routes(context: Context) -> list[Route]:
    async def download(request: Request) -> Response:
        query = request.query_params
        file = await context.service.open_file(
            request.path_params["path"], query.get("expires", ""), query.get("signature", "")
        )
        return file_response(request, file)

    return [Route("/files/{path:path}", download, methods=["GET"])]  # and HEAD, which Starlette adds


def file_response(request: Request, file: StoredFile) -> Response:
    """200, 206 or 304, with the file, the requested range or nothing. Raises RangeNotSatisfiable (416).

    A range belongs to GET alone: for HEAD it is ignored (RFC 9110, 14.2).
    """
    etag = f'"{file.etag}"'
    name = re.sub(r"[^A-Za-z0-9_-]", "", file.path.split("/")[1])
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, max-age=86400, immutable",
        "Content-Disposition": f'inline; filename="vivant-{name}.mp4"',
        "Content-Security-Policy": _POLICY,
        "ETag": etag,
    }
    if _matches(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    start, end, status = 0, file.size, 200
    condition = request.headers.get("if-range")
    if request.method == "GET" and (condition is None or condition.strip() == etag):  # a date never matches
        wanted = parse_range(request.headers.get("range"), file.size)
        if wanted is not None:
            (start, end), status = wanted, 206
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{file.size}"
    headers["Content-Length"] = str(end - start)
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=file.mime)
    return StreamingResponse(_body(file, start, end), status_code=status, headers=headers, media_type=file.mime)


async def _body(file: StoredFile, start: int, end: int) -> AsyncIterator[bytes]:
    async for piece in file.read(start, end):
        yield piece


def parse_range(header: str | None, size: int) -> tuple[int, int] | None:
    """(start, end), end exclusive, of the bytes that a Range header asks for; None: send the whole file.

    Several ranges, other units and malformed headers mean the whole file, as RFC 9110 (14.2) allows.
    Raises RangeNotSatisfiable when the range begins behind the end of the file.
    """
    match = _RANGE.fullmatch((header or "").replace(" ", ""))
    if match is None or match[0] == "bytes=-":
        return None
    first, last = match.groups()
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), size if not last else min(size, int(last) + 1)
        if last and int(last) < start:
            return None
    if start >= end:
        raise RangeNotSatisfiable(f"The file has {size} bytes; this range lies outside.", size=size)
    return start, end


def _matches(header: str | None, etag: str) -> bool:
    """Whether If-None-Match contains this etag, by weak comparison (RFC 9110, 13.1.2)."""
    tags = [tag.strip().removeprefix("W/") for tag in (header or "").split(",")]
    return etag in tags or "*" in tags
