"""The answer about a job, as a file: of a finished job it holds the whole film as base64, which may be 300 MB. So the
film goes from file to file, and only what stands around it is read as JSON.
"""

from __future__ import annotations

import base64
import binascii
import json
import mmap
import re
from pathlib import Path
from typing import Any, Final

from vivant.engines.generated.server_errors import UnusableAnswer
from vivant.errors import ScratchFailed

MOST_AROUND: Final = 2**20  # bytes of an answer without its film
_BLOCK: Final = 4 * 2**18  # characters of base64 at a time; a multiple of four
_FILM: Final = re.compile(rb'"b64_json"\s*:\s*"')  # inside of a text its quotes would be escaped


def read_answer_file(path: Path) -> Any:
    """The answer's JSON, in which a film is an empty text. Raises UnusableAnswer when it is none."""
    with _Mapped(path) as data:
        film = _find_film(data)
        if len(data) - (film[1] - film[0]) > MOST_AROUND:
            raise UnusableAnswer(f"The server's answer has more than the {MOST_AROUND:,} bytes that are taken.")
        text = data[: film[0]] + data[film[1] :]
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise UnusableAnswer("The server's answer is not JSON.") from None


def write_film(path: Path, target: Path) -> None:
    """Decode the film in the answer into the file `target`. Raises UnusableAnswer when there is none, or it is no
    base64, and ScratchFailed when it cannot be written."""
    with _Mapped(path) as data:
        start, end = _find_film(data)
        if start == end:
            raise UnusableAnswer("The server says that the job is done, but sent no film.")
        try:
            with target.open("wb") as film:
                for at in range(start, end, _BLOCK):
                    film.write(base64.b64decode(data[at : min(end, at + _BLOCK)], validate=True))
        except binascii.Error:
            raise UnusableAnswer("The film that the server sent is no base64.") from None
        except OSError as error:
            raise ScratchFailed(f"The film could not be written: {error.strerror}.") from error


class _Mapped:
    """The bytes of a file, without holding them."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> mmap.mmap:
        with self._path.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return self._map

    def __exit__(self, *_: object) -> None:
        self._map.close()


def _find_film(data: mmap.mmap) -> tuple[int, int]:
    """Where the film's base64 begins and ends; equal if there is none."""
    found = _FILM.search(data)
    if found is None:
        return 0, 0
    start = found.end()
    end = data.find(b'"', start)
    if end < 0:
        raise UnusableAnswer("The server's answer breaks off in the middle of the film.")
    return start, end
