"""Decoder processes: a picture that crashes or hangs one affects no other picture."""

from __future__ import annotations

import asyncio
import base64
import io
import os
import random
import signal
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from PIL import Image

from support.paths import PHOTOS
from support.picture_files import chunk, cicp, gamma_chunk, header
from vivant.errors import Busy, InvalidPicture, Misconfigured, PictureTooManyBytes, UnreadablePicture
from vivant.intake.framing import read_head, read_part, write_abort, write_head, write_part
from vivant.intake.pictures import CleanPicture, Intake
from vivant.intake.sandbox import Decoders
from vivant.request import PICTURE_BYTES
from vivant.timings import Timings

T = TypeVar("T")
PHOTO = PHOTOS / "city_day.jpg"
JOB: dict[str, Any] = {"ratio": None}


def with_intake(work: Callable[[Intake], Awaitable[T]], decoders: Decoders | None = None) -> T:
    async def run() -> T:
        intake = Intake(decoders=decoders)
        await intake.start()
        try:
            return await work(intake)
        finally:
            await intake.stop()

    return asyncio.run(run())


def test_a_photo_comes_back_clean_by_each_way_in() -> None:
    data = PHOTO.read_bytes()
    text = "data:image/jpeg;base64," + base64.b64encode(data).decode()

    async def work(intake: Intake) -> list[CleanPicture]:
        pieces = [text[at : at + 1000].encode() for at in range(0, len(text), 1000)]
        return [
            await intake.receive(text, owner="", field="image"),
            await intake.receive(pieces, owner="", field="image"),
            await intake.clean(data, field="image"),
            await intake.clean(memoryview(data), field="image"),
        ]

    pictures = with_intake(work)
    assert len({picture.png for picture in pictures}) == 1
    with Image.open(io.BytesIO(pictures[0].png)) as picture, Image.open(PHOTO) as photo:
        assert picture.size == photo.size == (pictures[0].width, pictures[0].height)


def test_the_declared_type_may_be_wrong() -> None:
    text = "data:image/png;base64," + base64.b64encode(PHOTO.read_bytes()).decode()
    assert with_intake(lambda intake: intake.receive(text, owner="", field="image")).width == 720


@pytest.mark.parametrize(
    "source",
    ["", "nonsense", "/etc/passwd", "file:///etc/passwd", "ftp://example.com/a.png", "data:", "data:image/png;base64,",
     "data:image/png;base64,é" + "A" * 20, "http://", "https:///a.png", "http://u:p@example.com/a.png", "\ud800",
     "javascript:alert(1)", "data\ud800:", "http://exa mple.com/", "http://example.com\\@127.0.0.1/", "http://[::1",
     "http://a:99999/"],
)  # fmt: skip
def test_what_is_neither_url_nor_data_uri_is_refused_by_name(source: str) -> None:
    with pytest.raises(InvalidPicture, match=r"^last_image: "):
        with_intake(lambda intake: intake.receive(source, owner="", field="last_image"))


def test_a_long_text_that_is_no_data_uri_is_refused() -> None:
    with pytest.raises(InvalidPicture, match=r"^image: must be an http"):
        with_intake(lambda intake: intake.receive([b"x" * 100_000], owner="", field="image"))


def test_one_byte_too_many_is_refused_before_it_is_decoded() -> None:
    async def work(intake: Intake) -> CleanPicture:
        with pytest.raises(PictureTooManyBytes, match="at most 31457280 bytes"):
            await intake.clean(bytes(PICTURE_BYTES + 1), field="image")
        return await intake.clean(PHOTO.read_bytes(), field="image")  # the decoder is free again

    assert with_intake(work, Decoders(1)).width == 720


def test_exactly_the_allowed_bytes_are_taken() -> None:
    data = PHOTO.read_bytes()
    padded = data + bytes(PICTURE_BYTES - len(data))  # bytes after a JPEG's end are ignored
    assert with_intake(lambda intake: intake.clean(padded, field="image")).width == 720


def test_a_bad_end_of_base64_leaves_the_decoder_usable() -> None:
    text = "data:image/jpeg;base64," + base64.b64encode(PHOTO.read_bytes()).decode() + "!!!!"

    async def work(intake: Intake) -> tuple[list[int], list[int]]:
        await intake.clean(PHOTO.read_bytes(), field="image")
        before = intake.decoders.pids
        for _ in range(3):
            with pytest.raises(UnreadablePicture):
                await intake.receive(text, owner="", field="image")
        assert (await intake.clean(PHOTO.read_bytes(), field="image")).width == 720
        return before, intake.decoders.pids

    before, after = with_intake(work, Decoders(1))
    assert before == after


def test_a_killed_decoder_is_replaced_and_the_picture_tried_again() -> None:
    async def work(intake: Intake) -> None:
        data = PHOTO.read_bytes()
        await intake.clean(data, field="image")
        for _ in range(3):
            (pid,) = intake.decoders.pids
            os.kill(pid, signal.SIGKILL)
            assert (await intake.clean(data, field="image")).width == 720
            assert pid not in intake.decoders.pids

    with_intake(work, Decoders(1))


class Interrupted:
    """A picture in two pieces; between them, each time it is read, something happens to the decoder at work."""

    def __init__(self, interrupt: Callable[[], object]) -> None:
        self._interrupt = interrupt
        self.reads = 0

    def __iter__(self) -> Iterator[bytes]:
        data = PHOTO.read_bytes()
        self.reads += 1
        yield data[:1000]
        self._interrupt()
        yield data[1000:]


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM])
def test_a_picture_is_tried_again_once_when_somebody_else_ended_its_decoder(sent: signal.Signals) -> None:
    async def work(intake: Intake) -> None:
        await intake.clean(PHOTO.read_bytes(), field="image")
        once = Interrupted(lambda: os.kill(intake.decoders.pids[0], sent) if once.reads == 1 else None)
        assert (await intake.decoders.clean(once, ratio=None)).width == 720
        always = Interrupted(lambda: os.kill(intake.decoders.pids[0], sent))
        with pytest.raises(UnreadablePicture, match="failed"):
            await intake.decoders.clean(always, ratio=None)
        assert (once.reads, always.reads) == (2, 2)
        assert (await intake.clean(PHOTO.read_bytes(), field="image")).width == 720

    with_intake(work, Decoders(1))


@pytest.mark.parametrize(
    ("sent", "why"),
    [(signal.SIGXCPU, "15 s of processor time"), (signal.SIGSEGV, "failed"), (signal.SIGABRT, "failed"),
     (signal.SIGBUS, "failed"), (signal.SIGILL, "failed")],
)  # fmt: skip
def test_a_picture_that_ended_its_decoder_is_not_tried_again(sent: signal.Signals, why: str) -> None:
    async def work(intake: Intake) -> None:
        await intake.clean(PHOTO.read_bytes(), field="image")
        picture = Interrupted(lambda: os.kill(intake.decoders.pids[0], sent))
        with pytest.raises(UnreadablePicture, match=why):
            await intake.decoders.clean(picture, ratio=None)
        assert picture.reads == 1
        assert (await intake.clean(PHOTO.read_bytes(), field="image")).width == 720

    with_intake(work, Decoders(1))


def test_one_key_never_holds_both_decoders_and_the_others_do_not_wait() -> None:
    async def work(intake: Intake) -> None:
        release = threading.Event()
        slow = [Interrupted(lambda: release.wait(60)) for _ in range(6)]
        evil = [asyncio.create_task(intake.decoders.clean(picture, ratio=None, owner="evil")) for picture in slow]
        try:
            async with asyncio.timeout(30):
                while not any(picture.reads for picture in slow):
                    await asyncio.sleep(0.05)
                await intake.clean(PHOTO.read_bytes(), field="image", owner="good")
                assert sum(picture.reads for picture in slow) == 1
                for _ in range(3):
                    await intake.clean(PHOTO.read_bytes(), field="image", owner="good")
        finally:
            release.set()
        assert all(picture.width == 720 for picture in await asyncio.gather(*evil))

    with_intake(work, Decoders(2, timings=Timings(decode_within=60.0, decoder_free_within=60.0)))


def test_feeding_that_hangs_keeps_neither_the_next_picture_nor_the_end_waiting() -> None:
    release = threading.Event()

    async def work(intake: Intake) -> None:
        with pytest.raises(UnreadablePicture, match="took too long"):
            await intake.decoders.clean(Interrupted(lambda: release.wait(60)), ratio=None)
        assert (await intake.clean(PHOTO.read_bytes(), field="image")).width == 720

    started = time.monotonic()
    try:
        with_intake(work, Decoders(1, timings=Timings(decode_within=3.0)))
        assert time.monotonic() - started < 30
    finally:
        release.set()


def test_a_picture_that_takes_too_long_is_refused_and_the_next_one_decoded() -> None:
    async def work(intake: Intake) -> None:
        await intake.clean(PHOTO.read_bytes(), field="image")
        (pid,) = intake.decoders.pids
        os.kill(pid, signal.SIGSTOP)
        with pytest.raises(UnreadablePicture, match="took too long"):
            await intake.clean(PHOTO.read_bytes(), field="image")
        assert (await intake.clean(PHOTO.read_bytes(), field="image")).width == 720
        assert pid not in intake.decoders.pids

    with_intake(work, Decoders(1, timings=Timings(decode_within=3.0)))


def test_cancelling_a_caller_stops_its_decoder() -> None:
    async def work(intake: Intake) -> None:
        await intake.clean(PHOTO.read_bytes(), field="image")
        os.kill(intake.decoders.pids[0], signal.SIGSTOP)
        waiting = asyncio.create_task(intake.clean(PHOTO.read_bytes(), field="image"))
        await asyncio.sleep(0.1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert (await intake.clean(PHOTO.read_bytes(), field="image")).width == 720

    with_intake(work, Decoders(1))


def test_too_many_waiting_pictures_are_busy() -> None:
    async def work(intake: Intake) -> list[object]:
        data = PHOTO.read_bytes()
        return await asyncio.gather(*(intake.clean(data, field="image") for _ in range(6)), return_exceptions=True)

    results = with_intake(work, Decoders(1, waiting=3))
    assert sum(isinstance(result, Busy) for result in results) == 2  # one is decoded, three wait
    assert sum(isinstance(result, CleanPicture) for result in results) == 4


def test_decoders_that_do_not_start_are_not_the_pictures_fault() -> None:
    with pytest.raises(Misconfigured, match="vivant doctor"):
        with_intake(lambda intake: intake.clean(PHOTO.read_bytes(), field="image"), Decoders(command=["/bin/false"]))


def test_a_decoder_holds_no_secret_and_opens_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")

    async def work(intake: Intake) -> None:
        await intake.clean(PHOTO.read_bytes(), field="image")
        (pid,) = intake.decoders.pids
        limits = Path(f"/proc/{pid}/limits").read_text().splitlines()
        found = {line[:26].strip(): line[26:].split()[0] for line in limits}
        assert found["Max open files"] == "0" and found["Max file size"] == "0" and found["Max core file size"] == "0"
        assert int(found["Max address space"]) < 900 * 2**20
        assert os.getsid(pid) == pid
        if os.geteuid() == 0:  # others may not look into it
            assert b"hush" not in Path(f"/proc/{pid}/environ").read_bytes()
            assert sorted(path.name for path in Path(f"/proc/{pid}/fd").iterdir()) == ["0", "1", "2"]

    if not Path("/proc").exists():
        pytest.skip("looks into /proc")
    with_intake(work, Decoders(1))


LARGEST: dict[str, tuple[str, dict[str, Any]]] = {
    "RGB": ("PNG", {"compress_level": 1}),
    "RGBA": ("WEBP", {"method": 0}),  # takes the most memory: WebP keeps two canvases beside the picture
    "L": ("BMP", {}),
    "CMYK": ("TIFF", {"compression": "tiff_lzw"}),
}


@pytest.mark.parametrize("mode", LARGEST)
def test_the_largest_allowed_picture_fits_into_the_limits(mode: str) -> None:
    data = io.BytesIO()
    kind, options = LARGEST[mode]
    Image.new(mode, (5400, 5400) if kind == "BMP" else (5999, 5999)).save(data, kind, **options)
    picture = with_intake(lambda intake: intake.clean(data.getvalue(), field="image"))
    assert picture.width == picture.height == 1800


def large_deep_png(colour: int, channels: int, *chunks: bytes) -> bytes:
    """A PNG of 5999 x 5999 pixels with 16 bits per sample."""
    side = 5999
    packer = zlib.compressobj(1)
    row = random.Random(1).randbytes(300) * (side * channels // 150 + 1)
    pixels = [packer.compress(bytes((1 + number % 4,)) + row[: 2 * side * channels]) for number in range(side)]
    data = b"".join([*pixels, packer.flush()])
    return header(side, side, 16, colour) + b"".join(chunks) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def test_the_largest_deep_pictures_fit_into_the_limits() -> None:
    """Tone-mapped, converted from linear light, and cut off, which takes two decodings at once."""
    files = [
        large_deep_png(2, 3, gamma_chunk(1.0)),
        large_deep_png(6, 4, cicp(12, 18)),
        large_deep_png(6, 4, cicp(9, 16))[:-100_000],
    ]

    async def work(intake: Intake) -> None:
        for data in files:
            picture = await intake.clean(data, field="image")
            assert picture.width == picture.height == 1800

    # What holds is the limit of processor time; a busy machine may take longer.
    with_intake(work, Decoders(1, timings=Timings(decode_within=120.0, decoder_free_within=120.0)))


def hostile() -> dict[str, bytes]:
    """Files that expand to far more than their size, or loop."""
    zeros = zlib.compress(bytes(50_000_000), 9)
    grey = zlib.compress(bytes(400 * 401))

    def part(kind: bytes, data: bytes) -> bytes:
        return struct.pack("!I", len(data)) + kind + data + struct.pack("!I", zlib.crc32(kind + data))

    def png(head: tuple[int, ...], pixels: bytes, *extra: bytes) -> bytes:
        first = part(b"IHDR", struct.pack("!IIBBBBB", *head))
        return b"\x89PNG\r\n\x1a\n" + first + b"".join(extra) + part(b"IDAT", pixels) + part(b"IEND", b"")

    def tiff(**tags: int) -> bytes:
        usual = {"w": 400, "h": 400, "bits": 8, "packing": 1, "colour": 1, "at": 200, "samples": 1, "rows": 400}
        values = {**usual, "size": 160_000, **tags}
        numbers = (256, 257, 258, 259, 262, 273, 277, 278, 279)
        entries = b"".join(struct.pack("<HHII", n, 4, 1, v) for n, v in zip(numbers, values.values(), strict=True))
        head = b"II*\0\x08\0\0\0" + struct.pack("<H", 9) + entries + struct.pack("<I", 8)
        return head.ljust(200, b"\0") + bytes(160_000)

    whole = (400, 400, 8, 0, 0, 0, 0)
    file = io.BytesIO()
    Image.new("P", (400, 400)).save(file, "GIF")
    gif = file.getvalue()
    frame = gif.index(b"\x2c")
    file = io.BytesIO()
    Image.new("RGB", (400, 400)).save(file, "JPEG")
    jpeg = file.getvalue()
    return {
        "text of 50 MB": png(whole, grey, part(b"zTXt", b"Comment\0\0" + zeros)),
        "profile of 50 MB": png(whole, grey, part(b"iCCP", b"icc\0\0" + zeros)),
        "much text": png(whole, grey, *[part(b"zTXt", b"C\0\0" + zlib.compress(bytes(900_000), 9))] * 1000),
        "more pixels than promised": png(whole, zeros),
        "fewer pixels than promised": png((5999, 5999, 8, 2, 0, 0, 0), grey),
        "ten thousand frames promised": png(whole, grey, part(b"acTL", struct.pack("!II", 10_000, 0))),
        "ten thousand frames": gif[:-1] + gif[frame:-1] * 10_000 + b";",
        "a frame beyond the canvas": gif[:frame]
        + b"\x2c"
        + struct.pack("<HHHH", 0, 0, 60_000, 60_000)
        + gif[frame + 9 :],
        "pages in a ring": tiff(),
        "a strip nowhere": tiff(at=2**32 - 300),
        "too many samples": tiff(samples=60_000),
        "many bits": tiff(bits=2**31),
        "headers without end": jpeg[:2] + (b"\xff\xe1\xff\xff" + b"Exif\0\0" + bytes(65_527)) * 100 + jpeg[2:],
        "scans without end": jpeg[:-2] + jpeg[jpeg.index(b"\xff\xda") : -2] * 1000 + b"\xff\xd9",
        "nothing, at length": bytes(PICTURE_BYTES),
    }


def test_hostile_files_are_refused_in_time_and_kill_no_decoder() -> None:
    async def work(intake: Intake) -> dict[str, str]:
        await intake.clean(PHOTO.read_bytes(), field="image")
        before = intake.decoders.pids
        said = {}
        for name, data in hostile().items():
            try:
                picture = await intake.clean(data, field="image")
                said[name] = f"{picture.width}x{picture.height}"
            except InvalidPicture as error:
                said[name] = type(error).__name__
        assert intake.decoders.pids == before
        return said

    said = with_intake(work, Decoders(1))
    assert said["more pixels than promised"] == said["ten thousand frames"] == said["pages in a ring"] == "400x400"
    assert said["scans without end"] == "UnreadablePicture"
    assert set(said.values()) <= {
        "400x400", "UnreadablePicture", "UnsupportedPicture", "PictureTooLarge", "PictureOutOfBounds",
    }, said  # fmt: skip


def test_the_memory_watch_ends_a_process_that_grows() -> None:
    """For systems that ignore RLIMIT_AS, but it works on all."""
    program = (
        "import time\nfrom vivant.intake.confinement import watch_memory\n"
        "watch_memory(50 * 2**20)\nhoard = bytearray(b'x') * (100 * 2**20)\ntime.sleep(10)"
    )
    # Through a small shell: a process inherits the peak memory of the one it was forked from.
    shell = ["/bin/sh", "-c", '"$0" -c "$1"; exit $?', sys.executable, program]
    assert subprocess.run(shell, check=False, timeout=20).returncode == 9


def test_without_a_watch_a_job_that_wants_too_much_memory_is_a_clean_error(monkeypatch: pytest.MonkeyPatch) -> None:
    from vivant.intake import decoder

    def greedy(data: bytes, *, ratio: str | None) -> tuple[bytes, int, int]:
        raise MemoryError

    monkeypatch.setattr(decoder, "clean", greedy)
    head, png = decoder.answer(b"", dict(JOB))
    assert head["error"] == "PICTURE_UNREADABLE" and head["retire"] and not png


def test_a_decoder_process_follows_the_protocol_and_ends_with_its_pipe() -> None:
    process = subprocess.Popen(
        [sys.executable, "-I", "-m", "vivant.intake.decoder"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env={"PATH": os.defpath},
    )  # fmt: skip
    jobs, answers = process.stdin, process.stdout
    assert jobs is not None and answers is not None
    hello = read_head(answers)
    assert hello is not None and hello["ready"] and set(hello) == {"ready", "confinement"}
    write_head(jobs, JOB)
    write_part(jobs, b"half a pic")
    write_abort(jobs)
    write_head(jobs, JOB)
    write_part(jobs, PHOTO.read_bytes())
    write_part(jobs, b"")
    jobs.flush()
    assert read_head(answers) == {"width": 720, "height": 360}
    assert (read_part(answers, 10**7) or b"").startswith(b"\x89PNG")
    jobs.close()
    assert process.wait(5) == 0
    answers.close()


@pytest.mark.parametrize(
    "says",
    [
        "o.write(b'\\xff' * 100)",
        "f.write_head(o, f.READY); f.write_head(o, {'width': 400, 'height': 400}); f.write_part(o, b'\\x89PNG junk')",
        "f.write_head(o, f.READY); f.write_head(o, {'width': '1', 'height': None}); f.write_part(o, b'')",
        "f.write_head(o, f.READY); f.write_head(o, {'width': -1, 'height': 5}); f.write_part(o, b'')",
        "f.write_head(o, f.READY); f.write_head(o, {'error': [1], 'message': {'a': 1}}); f.write_part(o, b'')",
        "f.write_head(o, f.READY); f.write_part(o, b'[' * 16000); f.write_part(o, b'')",
        "f.write_head(o, f.READY); o.write(b'\\xff\\xff\\xff\\xfe')",
    ],
)
def test_wrong_answers_of_a_decoder_are_refused(says: str) -> None:
    program = (
        f"import sys, vivant.intake.framing as f; o = sys.stdout.buffer; {says}; o.flush(); sys.stdin.buffer.read()"
    )
    decoders = Decoders(command=[sys.executable, "-c", program])
    with pytest.raises((UnreadablePicture, Misconfigured)):
        with_intake(lambda intake: intake.clean(PHOTO.read_bytes(), field="image"), decoders)


def mutated(count: int) -> Iterator[bytes]:
    """Small pictures of all kinds with seeded damage: cut short, or bytes changed, mostly near the start."""
    chance = random.Random(20_261_122)
    seeds = []
    kinds = (
        ("JPEG", "RGB"), ("JPEG", "CMYK"), ("PNG", "RGBA"), ("PNG", "P"), ("PNG", "I;16"), ("WEBP", "RGB"),
        ("BMP", "RGB"), ("TIFF", "RGB"), ("TIFF", "CMYK"), ("GIF", "P"),
    )  # fmt: skip
    for kind, mode in kinds:
        file = io.BytesIO()
        tile = Image.radial_gradient("L").resize((320, 310))
        (Image.new(mode, (320, 310)) if mode == "I;16" else tile.convert("RGB").convert(mode)).save(file, kind)
        seeds.append(file.getvalue())
    for number in range(count):
        data = bytearray(seeds[number % len(seeds)])
        if chance.random() < 0.3:
            del data[chance.randrange(len(data)) :]
        else:
            for _ in range(chance.randint(1, 30)):
                reach = 600 if chance.random() < 0.8 else len(data)
                data[chance.randrange(min(reach, len(data)))] = chance.randrange(256)
        yield bytes(data)


def test_five_hundred_damaged_pictures_are_answered_and_no_decoder_needs_replacing() -> None:
    async def work(intake: Intake) -> tuple[int, int]:
        await asyncio.gather(*(intake.clean(PHOTO.read_bytes(), field="image") for _ in range(2)))
        before = intake.decoders.pids
        refused = good = 0
        for data in mutated(500):
            try:
                await intake.clean(data, field="image")
                good += 1
            except InvalidPicture as error:
                assert str(error).startswith("image: ")
                refused += 1
        assert (await intake.clean(PHOTO.read_bytes(), field="image")).width == 720
        assert intake.decoders.pids == before
        return refused, good

    refused, good = with_intake(work)
    assert refused > 200 and good > 20
