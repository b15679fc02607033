"""The websocket of a ComfyUI, listened to on a thread of its own while a job is under way.

Only the socket whose client id came with the job is told of its progress, so it is opened before the job is handed in.
It is a hint and no more: when it breaks it is opened again, and the job is watched by polling all the while.
"""

from __future__ import annotations

import contextlib
import json
import logging
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from vivant.engines.comfyui.progress import ProgressMeter
from vivant.engines.generated.connections import PAUSE, Check

MOST_BYTES: Final = 8 * 2**20  # of one message; previews are pictures of a few hundred kilobytes
OPEN_WITHIN: Final = 5.0  # s
FIRST_PAUSE: Final = 0.5  # s before it is opened again; doubled each time up to LONGEST_PAUSE
LONGEST_PAUSE: Final = 10.0  # s
END_WITHIN: Final = 0.5  # s that `close` waits for the thread, which ends by itself

# The library logs connections that break, which is no news here.
_QUIET: Final = logging.getLogger("vivant.comfyui.websocket")
_QUIET.addHandler(logging.NullHandler())
_QUIET.propagate = False


class LiveProgress:
    """Listens for one client id and feeds a meter. A context: the thread runs inside it."""

    def __init__(self, url: str, headers: Mapping[str, str], client: str, meter: ProgressMeter) -> None:
        """url: of the server, http or https."""
        parts = urlsplit(url)
        self._address = (parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
        self._tls = parts.scheme == "https"
        scheme = "wss" if self._tls else "ws"
        self._uri = f"{scheme}://{parts.netloc}{parts.path.rstrip('/')}/ws?{urlencode({'clientId': client})}"
        self._headers = dict(headers)
        self.client = client
        self.meter = meter
        self._ending = threading.Event()
        self._tried = threading.Event()  # to open it, with success or without
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="vivant-comfyui-progress", daemon=True)

    def start(self, within: float, check: Check) -> None:
        """Begin to listen, and wait until the socket is open or refused, at most `within` seconds. Raises what the
        check raises, which is asked ten times a second."""
        self._thread.start()
        until = time.monotonic() + within
        while not self._tried.wait(PAUSE) and time.monotonic() < until:
            check()

    def close(self) -> None:
        """End. A peer that stalls does not hold anybody: its connection is cut."""
        self._ending.set()
        with self._lock:
            if self._socket is not None:
                with contextlib.suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(END_WITHIN)

    def _run(self) -> None:
        pause = FIRST_PAUSE
        while not self._ending.is_set():
            with contextlib.suppress(OSError, WebSocketException, ValueError, EOFError), self._open() as connection:
                pause = FIRST_PAUSE
                self._tried.set()
                self._listen(connection)
            self._tried.set()
            self._ending.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _open(self) -> ClientConnection:
        """Raises OSError and WebSocketException."""
        opened = socket.create_connection(self._address, timeout=OPEN_WITHIN)
        with self._lock:
            self._socket = opened
            if self._ending.is_set():
                opened.close()
                raise OSError("it is to end")
        try:
            connection = connect(
                self._uri,
                sock=opened,
                ssl=ssl.create_default_context() if self._tls else None,
                additional_headers=self._headers,
                proxy=None,
                compression=None,  # a small message cannot become a large one
                open_timeout=OPEN_WITHIN,
                close_timeout=END_WITHIN,
                max_size=MOST_BYTES,
                logger=_QUIET,
            )
        except BaseException:
            opened.close()
            raise
        assert isinstance(connection, ClientConnection)
        return connection

    def _listen(self, connection: ClientConnection) -> None:
        while not self._ending.is_set():
            try:
                message = connection.recv(timeout=0.5)
            except TimeoutError:
                continue
            if isinstance(message, str):  # bytes are previews
                with contextlib.suppress(ValueError, RecursionError):
                    self.meter.see(_parse(message))


def _parse(message: str) -> Any:
    return json.loads(message)
