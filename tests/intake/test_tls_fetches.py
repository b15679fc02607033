"""Pictures over https, from a real TLS server on loopback whose certificate the test makes."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from vivant.errors import PictureUnreachable
from vivant.intake import egress
from vivant.intake.egress import AllowList, Egress
from vivant.intake.fetch import Fetcher
from vivant.intake.pictures import share_picture_bytes
from vivant.timings import Timings

BODY = b"a picture" * 10_000
TIMINGS = Timings(connect_within=5, fetch_within=10)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a key and a self-signed certificate for pictures.example and 127.0.0.1."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("this machine has no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=pictures.example", "-addext", "subjectAltName=DNS:pictures.example,IP:127.0.0.1",
         "-keyout", "key.pem", "-out", "cert.pem"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    both = folder / "both.pem"
    both.write_text((folder / "key.pem").read_text() + (folder / "cert.pem").read_text())
    return both


@pytest.fixture(autouse=True)
def fresh_context() -> Iterator[None]:
    egress.tls_context.cache_clear()
    yield
    egress.tls_context.cache_clear()


@asynccontextmanager
async def tls_server(certificate: Path, names: list[str | None]) -> AsyncIterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.sni_callback = lambda connection, name, context: names.append(name)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY)
        await writer.drain()
        writer.close()

    running = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
    try:
        yield running.sockets[0].getsockname()[1]
    finally:
        running.close()
        await running.wait_closed()


async def fetch(url: str, port: int) -> bytes:
    async def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    fetcher = Fetcher(
        Egress(AllowList.parse(("127.0.0.0/8",)), resolve, timings=TIMINGS), share_picture_bytes(), timings=TIMINGS
    )
    async with AsyncExitStack() as held:
        return bytes(await fetcher.fetch(url.format(port), owner="", reservations=held))


@pytest.mark.parametrize(
    ("url", "name"),
    [("https://pictures.example:{}/a", "pictures.example"), ("https://Pictures.example.:{}/a", "pictures.example"),
     ("https://127.0.0.1:{}/a", None)],
)  # fmt: skip
async def test_a_picture_comes_over_tls(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, url: str, name: str | None
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    names: list[str | None] = []
    async with tls_server(certificate, names) as port:
        assert await fetch(url, port) == BODY
    assert names == [name]


async def test_a_certificate_that_nobody_vouches_for_is_refused(certificate: Path) -> None:
    async with tls_server(certificate, []) as port:
        with pytest.raises(PictureUnreachable):
            await fetch("https://pictures.example:{}/a", port)


async def test_a_certificate_for_another_name_is_refused(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    async with tls_server(certificate, []) as port:
        with pytest.raises(PictureUnreachable):
            await fetch("https://other.example:{}/a", port)


async def test_a_server_that_never_finishes_its_handshake_is_left_in_time() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    running = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = running.sockets[0].getsockname()[1]
    timings = Timings(connect_within=0.3, fetch_within=30)
    fetcher = Fetcher(
        Egress(AllowList.parse(("127.0.0.0/8",)), timings=timings), share_picture_bytes(), timings=timings
    )
    try:
        async with asyncio.timeout(10), AsyncExitStack() as held:
            with pytest.raises(PictureUnreachable):
                await fetcher.fetch(f"https://127.0.0.1:{port}/", owner="", reservations=held)
    finally:
        running.close()
        await running.wait_closed()
