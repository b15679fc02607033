"""The program of a decoder process: reads picture files of callers on stdin, writes clean PNGs to stdout.

    python -I -m vivant.intake.decoder

It runs under the limits of confinement.py, holds no secret, and is killed and replaced when it fails, so that a file
which exploits or crashes a codec does no harm outside. It imports little besides Pillow. What is done with a file is in
decoding/; the parent's side is sandbox.py.
"""

from __future__ import annotations

import io
import sys
import warnings
from typing import IO, Any

from PIL import Image, ImageCms

from vivant.errors import InvalidPicture, PictureTooManyBytes, UnreadablePicture
from vivant.intake.confinement import allow_cpu, confine
from vivant.intake.decoding.clean import clean
from vivant.intake.decoding.formats import FORMATS
from vivant.intake.decoding.orientation import ORIENTATION
from vivant.intake.framing import READY, FramingError, read_head, read_part, write_head, write_part
from vivant.request import PICTURE_BYTES


def answer(data: bytes, job: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """The head and the PNG to send back for one job; never raises for what a picture holds."""
    try:
        png, width, height = clean(data, ratio=job["ratio"])
    except InvalidPicture as error:
        return {"error": error.code, "message": error.problem}, b""
    except MemoryError:
        return {"error": UnreadablePicture.code, "message": "the picture takes too much memory to decode.",
                "retire": True}, b""  # fmt: skip
    except Exception as error:  # noqa: BLE001  a hostile file can make a codec raise anything
        return {
            "error": UnreadablePicture.code,
            "message": "the picture is damaged and could not be decoded.",
            "why": f"{type(error).__name__}: {error}"[:300],
        }, b""
    return {"width": width, "height": height}, png


def serve(jobs: IO[bytes], answers: IO[bytes], confinement: dict[str, bool]) -> None:
    """Tell the parent which limits hold, then process jobs until it closes the pipe."""
    write_head(answers, {**READY, "confinement": confinement})
    answers.flush()
    while True:
        try:
            job = read_head(jobs)
            data = None if job is None else _read_picture(jobs)
        except FramingError:
            return
        if job is None or data is None:
            continue  # the parent aborted this job
        allow_cpu()
        if data.tell() > PICTURE_BYTES:
            head, png = {"error": PictureTooManyBytes.code, "message": ""}, b""
        else:
            head, png = answer(data.getvalue(), job)
        write_head(answers, head)
        write_part(answers, png)
        answers.flush()


def _read_picture(jobs: IO[bytes]) -> io.BytesIO | None:
    """The bytes of a picture, received in pieces; None when the job was aborted."""
    data = io.BytesIO()
    while True:
        piece = read_part(jobs, PICTURE_BYTES)
        if piece is None:
            return None
        if not piece:
            return data
        data.write(piece)


def _warm_up() -> None:
    """Decode a small picture of each format, so that all modules are loaded before no file can be opened any more."""
    tile = Image.new("RGB", (304, 304))
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for kind in FORMATS:
        sample = io.BytesIO()
        options: dict[str, Any] = {} if kind in ("BMP", "GIF") else {"exif": exif, "icc_profile": profile}
        tile.save(sample, kind, **options)
        clean(sample.getvalue())


def main() -> None:
    warnings.simplefilter("ignore")  # stderr goes nowhere
    Image.MAX_IMAGE_PIXELS = None  # check_picture_size is stricter and says what is allowed
    _warm_up()
    serve(sys.stdin.buffer, sys.stdout.buffer, confine())


if __name__ == "__main__":
    main()
