"""Four hundred picture files, made from three small pictures: formats, modes, depths, metadata, and damage.

What no library writes is written here by hand: BMP masks, GIF frames smaller than their screen, PNG chunks, JPEG
markers. The same call makes the same files every time.
"""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
from PIL import Image, ImageCms

from support.paths import PHOTOS
from vivant.media import F64, U8

WIDTH: Final = 400
HEIGHT: Final = 320
Primaries = Sequence[tuple[float, float]]
D65: Final = (0.3127, 0.3290)
BT709: Final = ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060))
P3: Final = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
BT2020: Final = ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046))
ADOBE: Final = ((0.640, 0.330), (0.210, 0.710), (0.150, 0.060))


@dataclass(frozen=True, slots=True)
class PictureFile:
    """One file. kind: what is judged by the same tolerance, see test_pictures_as_browsers_show_them.py."""

    name: str
    data: bytes
    kind: str


# --- the pictures ---------------------------------------------------------------------------------------------------


@cache
def flower() -> U8:
    """RGB (320, 400, 3): a photograph with three saturated patches, so that swapped channels show."""
    with Image.open(PHOTOS / "dahlia.jpg") as photo:
        pixels = np.asarray(photo.convert("RGB").resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)).copy()
    for at, colour in enumerate([(200, 40, 60), (40, 180, 70), (50, 70, 200)]):
        pixels[12:72, 12 + 70 * at : 72 + 70 * at] = colour
    return pixels


@cache
def lake() -> U8:
    """RGB (400, 320, 3): an upright photograph with soft gradients."""
    with Image.open(PHOTOS / "mountain_lake.jpg") as photo:
        box = (200, 0, 488, 360)
        return np.asarray(photo.convert("RGB").resize((320, 400), Image.Resampling.LANCZOS, box=box)).copy()


@cache
def chart() -> U8:
    """RGB (320, 400, 3): every channel's whole range, alone, together and against the others."""
    x = np.linspace(0, 255, WIDTH).round().astype(np.uint8)
    y = np.linspace(0, 255, HEIGHT // 2).round().astype(np.uint8)
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for row, channels in enumerate([(0, 1, 2), (0,), (1,), (2,), (0, 1), (1, 2), (0, 2), (0, 1, 2)]):
        pixels[row * 20 : row * 20 + 20, :, channels] = (x if row < 7 else x[::-1])[None, :, None]
    pixels[160:, :, 0] = x
    pixels[160:, :, 1] = y[:, None]
    pixels[160:, :, 2] = 255 - (x[None] // 2 + y[:, None] // 2)
    return pixels


def grey(pixels: U8) -> U8:
    """The picture in grey, uint8 (height, width)."""
    return np.asarray(Image.fromarray(pixels).convert("L"))


def alpha(shape: tuple[int, ...]) -> U8:
    """Transparency, uint8 (height, width): clear on the left, opaque on the right."""
    return np.tile(np.linspace(0, 255, shape[1]).round().astype(np.uint8), (shape[0], 1))


# --- colour ---------------------------------------------------------------------------------------------------------


def to_xyz(primaries: Primaries, white: tuple[float, float] = D65) -> F64:
    """The matrix (3, 3) from linear RGB to CIE XYZ (SMPTE RP 177)."""
    xy = np.array(primaries)
    columns = np.stack([xy[:, 0] / xy[:, 1], np.ones(3), (1 - xy.sum(1)) / xy[:, 1]])
    target = np.array([white[0] / white[1], 1, (1 - sum(white)) / white[1]])
    return np.asarray(columns * np.linalg.solve(columns, target))


def linear(pixels: U8) -> F64:
    """sRGB samples to linear light in 0..1, same shape."""
    values = pixels / 255.0
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def reencode(pixels: U8, primaries: Primaries, gamma: float, bits: int = 8) -> Any:
    """The picture's colours in another space: uint8 or uint16, same shape. Colours outside it are cut off."""
    light = np.clip(linear(pixels) @ (np.linalg.inv(to_xyz(primaries)) @ to_xyz(BT709)).T, 0, 1)
    return np.round(light ** (1 / gamma) * (2**bits - 1)).astype(np.uint8 if bits == 8 else np.uint16)


def profile(
    primaries: Primaries | None, gamma: float, *, space: bytes = b"", named: bytes = b"made by a test"
) -> bytes:
    """An ICC profile (version 2) with a gamma curve: RGB of these primaries, or grey."""
    d50 = np.array([0.9642, 1.0, 0.8249])
    bradford = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])

    def fixed(values: Any) -> bytes:
        return b"".join(struct.pack(">i", round(float(value) * 65_536)) for value in values)

    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    described = b"desc\0\0\0\0" + struct.pack(">I", len(named) + 1) + named + bytes(80)
    tags = {b"desc": described, b"cprt": b"text\0\0\0\0none\0\0\0\0", b"wtpt": b"XYZ \0\0\0\0" + fixed(d50)}
    if primaries is None:
        tags[b"kTRC"] = curve
    else:
        white = to_xyz(BT709) @ np.ones(3)
        adapt = np.linalg.inv(bradford) @ np.diag((bradford @ d50) / (bradford @ white)) @ bradford
        matrix = adapt @ to_xyz(primaries)
        for channel, letter in enumerate((b"r", b"g", b"b")):
            tags[letter + b"XYZ"] = b"XYZ \0\0\0\0" + fixed(matrix[:, channel])
            tags[letter + b"TRC"] = curve
    table, body = struct.pack(">I", len(tags)), b""
    start = 132 + 12 * len(tags)
    for tag, value in tags.items():
        padded = value + bytes(-len(value) % 4)
        table += tag + struct.pack(">II", start + len(body), len(value))
        body += padded
    head = struct.pack(">I", start + len(body)) + b"lcms\x02\x10\0\0mntr"
    head += (space or (b"GRAY" if primaries is None else b"RGB ")) + b"XYZ " + bytes(12) + b"acsp" + bytes(28)
    return (head + fixed(d50)).ljust(128, b"\0") + table + body


def cmyk_profile() -> bytes:
    """An ICC profile of CMYK, as a lookup table of 5 nodes per axis in Lab, a little warmer than plain inversion."""
    steps = np.linspace(0, 1, 5)
    c, m, y, k = (axis.ravel() for axis in np.meshgrid(steps, steps, steps, steps, indexing="ij"))
    rgb = np.stack([(1 - 0.95 * c) * (1 - k), (1 - 0.9 * m) * (1 - k), (1 - 0.85 * y) * (1 - 0.95 * k)], axis=-1)
    tile = Image.fromarray((rgb * 255).round().astype(np.uint8)[None])
    to_lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    made = ImageCms.applyTransform(tile, to_lab)
    assert made is not None
    lab = np.asarray(made)[0].astype(int)
    lab[:, 1:] = (lab[:, 1:] + 128) % 256  # Pillow gives a and b as signed bytes
    table = lab.astype(np.uint8).tobytes()
    ramp = bytes(range(256))
    lut = (
        b"mft1\0\0\0\0"
        + bytes((4, 3, 5, 0))
        + b"".join(struct.pack(">i", v << 16) for v in (1, 0, 0, 0, 1, 0, 0, 0, 1))
    )
    lut += ramp * 4 + table + ramp * 3
    described = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"inks\0" + bytes(79)
    white = b"XYZ \0\0\0\0" + b"".join(struct.pack(">i", round(v * 65_536)) for v in (0.9642, 1.0, 0.8249))
    tags = {b"desc": described, b"cprt": b"text\0\0\0\0none\0\0\0\0", b"wtpt": white, b"A2B0": lut, b"A2B1": lut}
    index, body, start = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for tag, value in tags.items():
        index += tag + struct.pack(">II", start + len(body), len(value))
        body += value + bytes(-len(value) % 4)
    head = struct.pack(">I", start + len(body)) + b"lcms\x02\x10\0\0prtrCMYKLab " + bytes(12) + b"acsp" + bytes(28)
    head += white[8:]
    return head.ljust(128, b"\0") + index + body


# --- what libraries write ---------------------------------------------------------------------------------------------


def saved(pixels: Any, kind: str, **options: Any) -> bytes:
    """The file Pillow writes of an array or a picture."""
    data = io.BytesIO()
    (pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)).save(data, kind, **options)
    return data.getvalue()


def exif(orientation: int) -> Image.Exif:
    """EXIF with nothing but an orientation."""
    made = Image.Exif()
    made[0x0112] = orientation
    return made


# --- JPEG -------------------------------------------------------------------------------------------------------------


def segment(marker: int, payload: bytes) -> bytes:
    """A marker segment (ITU-T T.81, B.1.1.4)."""
    return bytes((0xFF, marker)) + struct.pack(">H", len(payload) + 2) + payload


def with_segments(jpeg: bytes, *segments: bytes) -> bytes:
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def without_segment(jpeg: bytes, marker: int) -> bytes:
    """The file without its first segment of this marker."""
    at = jpeg.index(bytes((0xFF, marker)))
    return jpeg[:at] + jpeg[at + 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big") :]


def with_adobe_transform(jpeg: bytes, transform: int) -> bytes:
    at = jpeg.index(b"\xff\xeeAd" if b"\xff\xeeAd" in jpeg else b"Adobe") + 11
    return jpeg[:at] + bytes((transform,)) + jpeg[at + 1 :]


def inks(pixels: U8) -> Image.Image:
    """The picture in CMYK with some black ink."""
    rgb = pixels.astype(int)
    black = (255 - rgb.max(-1)) // 2
    rest = np.clip(255 - rgb - black[..., None], 0, 255)
    return Image.fromarray(np.dstack([rest, black]).astype(np.uint8), "CMYK")


def xmp(orientation: int) -> bytes:
    text = (
        "http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF "
        "xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description "
        f"xmlns:tiff='http://ns.adobe.com/tiff/1.0/' tiff:Orientation=\"{orientation}\"/></rdf:RDF></x:xmpmeta>"
    )
    return segment(0xE1, text.encode())


def twelve_bit_jpeg() -> bytes:
    """A grey JPEG with 12 bits per sample (T.81, SOF1, P = 12), of one colour."""
    counts = bytes([1] + [0] * 15) + b"\0"
    return b"".join([
        b"\xff\xd8", segment(0xDB, b"\0" + b"\1" * 64),
        segment(0xC1, b"\x0c" + struct.pack(">HH", HEIGHT, WIDTH) + b"\1\1\x11\0"),
        segment(0xC4, b"\0" + counts), segment(0xC4, b"\x10" + counts), segment(0xDA, b"\1\1\0\0\x3f\0"),
        bytes(HEIGHT * WIDTH // 64 // 4), b"\xff\xd9",
    ])  # fmt: skip


def jpegs() -> Iterator[PictureFile]:
    plain = saved(flower(), "JPEG", quality=90)
    smooth = saved(lake(), "JPEG", quality=90)
    progressive = saved(flower(), "JPEG", quality=90, progressive=True)

    def add(name: str, data: bytes, kind: str = "jpeg") -> PictureFile:
        return PictureFile(f"jpeg {name}", data, kind)

    yield add("baseline", plain)
    yield add("upright", smooth)
    yield add("chart", saved(chart(), "JPEG", quality=95))
    yield add("progressive", progressive)
    yield add("4:4:4", saved(flower(), "JPEG", quality=90, subsampling=0))
    yield add("4:2:2", saved(flower(), "JPEG", quality=90, subsampling=1))
    yield add("quality 30", saved(lake(), "JPEG", quality=30))
    yield add("odd sides", saved(flower()[:-3, :-5], "JPEG", quality=90))
    yield add("restarts", saved(flower(), "JPEG", quality=90, restart_marker_blocks=7))
    yield add("grey", saved(grey(flower()), "JPEG", quality=90))
    yield add("grey progressive", saved(grey(lake()), "JPEG", quality=90, progressive=True))
    yield add("rgb, adobe transform 0", saved(flower(), "JPEG", quality=90, keep_rgb=True))
    yield add(
        "rgb, no marker, ids RGB",
        _rename_components(without_segment(saved(flower(), "JPEG", quality=90, keep_rgb=True), 0xEE), b"RGB"),
    )
    yield add(
        "ycc, adobe transform 1", with_segments(without_segment(plain, 0xE0), segment(0xEE, b"Adobe\0\x64\0\0\0\0\1"))
    )
    yield add("ycc, no marker at all", without_segment(plain, 0xE0))
    yield add("jfif and adobe transform 0", with_segments(plain, segment(0xEE, b"Adobe\0\x64\0\0\0\0\0")))
    cmyk = saved(inks(flower()), "JPEG", quality=95)
    yield add("cmyk, adobe", cmyk, "ink")
    yield add("cmyk, no adobe marker", without_segment(cmyk, 0xEE), "ink")
    yield add("cmyk progressive", saved(inks(lake()), "JPEG", quality=95, progressive=True), "ink")
    yield add("ycck", _ycck(flower()), "ink")
    yield add(
        "cmyk with a profile", saved(inks(flower()), "JPEG", quality=95, icc_profile=cmyk_profile()), "ink profile"
    )
    yield add("ycck with a profile", with_segments(_ycck(lake()), _icc_segment(cmyk_profile())), "ink profile")
    yield add(
        "cmyk, no adobe marker, a profile",
        without_segment(saved(inks(flower()), "JPEG", quality=95, icc_profile=cmyk_profile()), 0xEE),
        "ink profile",
    )
    yield add(
        "cmyk with an rgb profile", saved(inks(flower()), "JPEG", quality=95, icc_profile=profile(P3, 2.2)), "ink"
    )
    for orientation in range(10):
        yield add(f"exif orientation {orientation}", saved(flower(), "JPEG", quality=90, exif=exif(orientation)))
    yield add("orientation only in xmp", with_segments(plain, xmp(6)))
    yield add("xmp 6 and exif 3", with_segments(saved(flower(), "JPEG", quality=90, exif=exif(3)), xmp(6)))
    yield add("xmp 6 and exif 1", with_segments(saved(flower(), "JPEG", quality=90, exif=exif(1)), xmp(6)))
    yield add("broken exif", with_segments(plain, segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0\x5a\0\x12\x01\x03")))
    yield add(
        "two exif segments", with_segments(plain, segment(0xE1, exif(6).tobytes()), segment(0xE1, exif(3).tobytes()))
    )
    for name, primaries, gamma in (
        ("P3", P3, 2.2),
        ("Adobe RGB", ADOBE, 2.2),
        ("BT.2020", BT2020, 2.4),
        ("linear 709", BT709, 1.0),
        ("gamma 1.8", BT709, 1.8),
    ):
        encoded = reencode(flower(), primaries, gamma)
        data = saved(encoded, "JPEG", quality=95, subsampling=0, icc_profile=profile(primaries, gamma))
        yield add(f"profile {name}", data, "profile")
        yield add(
            f"profile {name}, chart",
            saved(chart(), "JPEG", quality=95, subsampling=0, icc_profile=profile(primaries, gamma)),
            "profile",
        )
    big = profile(P3, 2.2) + random.Random(1).randbytes(150_000)
    big = struct.pack(">I", len(big)) + big[4:]
    yield add(
        "a profile in three segments",
        saved(reencode(lake(), P3, 2.2), "JPEG", quality=95, subsampling=0, icc_profile=big),
        "profile",
    )
    yield add(
        "srgb profile",
        saved(
            flower(), "JPEG", quality=90, icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        ),
    )
    yield add("broken profile", saved(flower(), "JPEG", quality=90, icc_profile=b"\0\0\1\0rubbish" * 30))
    yield add(
        "a profile called sRGB that is not",
        saved(chart(), "JPEG", quality=95, subsampling=0, icc_profile=profile(P3, 1.8, named=b"sRGB IEC61966-2.1")),
        "profile",
    )
    yield add("grey profile on rgb", saved(flower(), "JPEG", quality=90, icc_profile=profile(None, 1.4)))
    yield add("cmyk profile on rgb", saved(flower(), "JPEG", quality=90, icc_profile=cmyk_profile()))
    yield add(
        "grey with a grey profile", saved(grey(flower()), "JPEG", quality=95, icc_profile=profile(None, 1.4)), "profile"
    )
    yield add(
        "grey with an rgb profile", saved(grey(flower()), "JPEG", quality=95, icc_profile=profile(P3, 1.8)), "profile"
    )
    yield add("much metadata", with_segments(plain, *[segment(0xFE, b"c" * 65_000)] * 40))
    yield add("zeros behind", plain + bytes(9999))
    yield add("a film behind", plain + b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + random.Random(2).randbytes(50_000))
    yield add(
        "two pictures in one file (MPO)",
        saved(Image.fromarray(flower()), "MPO", save_all=True, append_images=[Image.fromarray(lake())], quality=90),
    )
    yield add("a newline before", b"\n" + plain, "refused")
    yield add("12 bits", twelve_bit_jpeg(), "refused")
    yield add("arithmetic coding promised", plain.replace(b"\xff\xc0", b"\xff\xc9", 1), "jpeg")
    # Cut off.
    for missing in (1, 2, 3, 5, 20):
        yield add(f"last {missing} bytes missing", plain[:-missing], "cut")
    for part in (99, 98, 96):
        yield add(f"{part} % of the bytes", smooth[: len(smooth) * part // 100], "cut")
    yield add("grey, 98 % of the bytes", _cut(saved(grey(flower()), "JPEG", quality=90), 98), "cut")
    yield add("4:4:4, 98 % of the bytes", _cut(saved(lake(), "JPEG", quality=95, subsampling=0), 98), "cut")
    yield add("cmyk, 98 % of the bytes", _cut(cmyk, 98), "cut")
    yield add(
        "restarts, 98 % of the bytes",
        _cut(saved(flower(), "JPEG", quality=90, restart_marker_blocks=7), 98),
        "cut",
    )
    yield add("zeros in place of the end", plain[:-2] + bytes(4096), "cut")
    yield add("a restart marker at the end", plain[:-2] + b"\xff\xd3", "cut")
    for part in (99, 95, 85, 60):
        yield add(f"progressive, {part} % of the bytes", _cut(progressive, part), "cut")
    yield add("progressive without end", progressive[:-2], "cut")
    yield add(
        "grey progressive, 90 % of the bytes",
        _cut(saved(grey(lake()), "JPEG", quality=90, progressive=True), 90),
        "cut",
    )
    for part in (80, 50, 20):
        yield add(f"{part} % of the bytes", _cut(plain, part), "too short")
    yield add("progressive, 5 % of the bytes", _cut(progressive, 5), "too short")
    damaged = bytearray(saved(flower(), "JPEG", quality=90, restart_marker_blocks=25))
    middle = len(damaged) // 2
    damaged[middle : middle + 20] = bytes(0x5A for _ in range(20))
    yield add("twenty bytes damaged, restarts", bytes(damaged), "jpeg")


def _cut(data: bytes, percent: int) -> bytes:
    return data[: len(data) * percent // 100]


def _icc_segment(icc: bytes) -> bytes:
    return segment(0xE2, b"ICC_PROFILE\0\1\1" + icc)


def _ycck(pixels: U8) -> bytes:
    """A CMYK picture whose first three inks are stored as luma and chroma, as Photoshop does."""
    cyan, magenta, yellow, black = inks(pixels).split()
    luma = Image.merge("RGB", [channel.point(lambda v: 255 - v) for channel in (cyan, magenta, yellow)]).convert(
        "YCbCr"
    )
    # Pillow inverts all four when it writes, which Adobe's files are and luma and chroma here must not be.
    stored = [channel.point(lambda v: 255 - v) for channel in luma.split()]
    return with_adobe_transform(saved(Image.merge("CMYK", [*stored, black]), "JPEG", quality=95), 2)


def _rename_components(jpeg: bytes, names: bytes) -> bytes:
    """The file with these component identifiers in frame and scan header."""
    data = bytearray(jpeg)
    frame, scan = jpeg.index(b"\xff\xc0") + 10, jpeg.index(b"\xff\xda") + 5
    for at, name in enumerate(names):
        data[frame + 3 * at], data[scan + 2 * at] = name, name
    return bytes(data)


# --- PNG --------------------------------------------------------------------------------------------------------------


def chunk(kind: bytes, content: bytes) -> bytes:
    """A PNG chunk (PNG 3rd edition, 5.3)."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def spoilt(whole: bytes) -> bytes:
    """The chunk with a wrong checksum."""
    return whole[:-1] + bytes((whole[-1] ^ 1,))


def header(width: int, height: int, depth: int, colour: int, interlace: int = 0) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace))


def scanlines(samples: Any, depth: int = 8) -> bytes:
    """The compressed lines, unfiltered, of samples (height, width[, channels]), `depth` bits each."""
    rows = []
    for row in samples:
        if depth == 16:
            rows.append(row.astype(">u2").tobytes())
        elif depth == 8:
            rows.append(row.astype(np.uint8).tobytes())
        else:
            bits = np.unpackbits(row.astype(np.uint8)[:, None], axis=1)[:, 8 - depth :]
            rows.append(np.packbits(bits.reshape(-1)).tobytes())
    return zlib.compress(b"".join(b"\0" + row for row in rows), 6)


def png(samples: Any, colour: int, *before: bytes, depth: int = 8, after: bytes = b"") -> bytes:
    """A PNG of samples (height, width[, channels]) with these chunks before and after the pixels."""
    height, width = samples.shape[:2]
    pixels = chunk(b"IDAT", scanlines(samples, depth))
    return header(width, height, depth, colour) + b"".join(before) + pixels + after + chunk(b"IEND", b"")


def interlaced_png(pixels: U8, *before: bytes) -> bytes:
    """The RGB picture in the seven passes of Adam7 (PNG 3rd edition, 8.1)."""
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    lines = b"".join(
        b"\0" + row.tobytes()
        for x, y, across, down in passes
        for row in np.ascontiguousarray(pixels[y::down, x::across])
    )
    height, width = pixels.shape[:2]
    return (
        header(width, height, 8, 2, 1) + b"".join(before) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    )


def gamma_chunk(value: float) -> bytes:
    return chunk(b"gAMA", struct.pack(">I", round(value * 100_000)))


def primaries_chunk(primaries: Primaries, white: tuple[float, float] = D65) -> bytes:
    return chunk(b"cHRM", struct.pack(">8I", *[round(v * 100_000) for pair in (white, *primaries) for v in pair]))


def cicp(primaries: int, transfer: int, matrix: int = 0, full: int = 1) -> bytes:
    return chunk(b"cICP", bytes((primaries, transfer, matrix, full)))


def profile_chunk(icc: bytes) -> bytes:
    return chunk(b"iCCP", b"p\0\0" + zlib.compress(icc))


def frame_control(number: int, width: int, height: int, x: int = 0, y: int = 0) -> bytes:
    return chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, width, height, x, y, 1, 10, 0, 0))


def pngs() -> Iterator[PictureFile]:
    srgb = chunk(b"sRGB", b"\0")
    p3_profile = profile_chunk(profile(P3, 2.2))

    def add(name: str, data: bytes, kind: str = "exact") -> PictureFile:
        return PictureFile(f"png {name}", data, kind)

    pixels, deep = flower(), flower().astype(np.uint16) * 257
    noise = np.random.default_rng(3).integers(0, 256, deep.shape).astype(np.uint16)
    fine = np.clip(deep.astype(int) + noise - 128, 0, 65_535).astype(np.uint16)
    tones, clear = grey(pixels), alpha(pixels.shape)
    yield add("rgb", png(pixels, 2))
    yield add("rgb, by a library", saved(lake(), "PNG"))
    yield add("rgb 16 bit", png(fine, 2, depth=16), "16 bit")
    yield add("grey", png(tones, 0))
    yield add("grey 16 bit", png(fine[..., 0], 0, depth=16), "16 bit")
    for depth in (1, 2, 4):
        yield add(f"grey {depth} bit", png(tones >> (8 - depth), 0, depth=depth))
    yield add("grey and alpha", png(np.dstack([tones, clear]), 4), "alpha")
    yield add(
        "grey and alpha 16 bit", png(np.dstack([fine[..., 0], clear.astype(np.uint16) * 257]), 4, depth=16), "alpha"
    )
    yield add("rgb and alpha", png(np.dstack([pixels, clear]), 6), "alpha")
    yield add("rgb and alpha 16 bit", png(np.dstack([fine, clear.astype(np.uint16) * 257]), 6, depth=16), "alpha")
    for depth in (1, 2, 4, 8):
        reduced = Image.fromarray(pixels).quantize(2**depth)
        table = chunk(b"PLTE", bytes(reduced.getpalette() or [])[: 3 * 2**depth])
        yield add(f"palette {depth} bit", png(np.asarray(reduced), 3, table, depth=depth))
    shades = chunk(b"tRNS", bytes(range(0, 250, 5)))
    yield add("palette with transparency", png(np.asarray(reduced), 3, table, shades), "alpha")
    few = np.minimum(np.asarray(reduced), 99)
    yield add("palette shorter than its depth", png(few, 3, chunk(b"PLTE", bytes(reduced.getpalette() or [])[:300])))
    yield add("a transparent colour", png(pixels, 2, chunk(b"tRNS", struct.pack(">HHH", 200, 40, 60))))
    yield add("a transparent grey", png(tones, 0, chunk(b"tRNS", struct.pack(">H", int(tones[100, 100])))))
    yield add(
        "a transparent colour of 16 bit",
        png(deep, 2, chunk(b"tRNS", struct.pack(">HHH", *(257 * v for v in (200, 40, 60)))), depth=16),
        "16 bit",
    )
    yield add(
        "a transparent grey of 16 bit",
        png(deep[..., 0], 0, chunk(b"tRNS", struct.pack(">H", 200 * 257)), depth=16),
        "16 bit",
    )
    yield add("a transparent grey of 2 bit", png(tones >> 6, 0, chunk(b"tRNS", struct.pack(">H", 3)), depth=2))
    yield add("interlaced", interlaced_png(pixels))
    yield add("in many IDAT", header(WIDTH, HEIGHT, 8, 2) + _in_pieces(scanlines(pixels), 1000) + chunk(b"IEND", b""))
    # Orientation.
    for orientation in (1, 3, 6, 8):
        yield add(f"eXIf orientation {orientation}", png(pixels, 2, chunk(b"eXIf", exif(orientation).tobytes()[6:])))
    yield add("eXIf behind the pixels", png(pixels, 2, after=chunk(b"eXIf", exif(6).tobytes()[6:])), "turned")
    yield add("orientation only in xmp", png(pixels, 2, chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp(6)[33:])))
    # Colour. The first of cICP, iCCP, sRGB, gAMA with cHRM that is valid counts (PNG 3rd edition, 4.3).
    for value in (0.45455, 1.0, 0.55556, 0.35, 0.3, 2.0):
        yield add(f"gAMA {value}", png(chart(), 2, gamma_chunk(value)), "colour")
    for name, primaries in (("P3", P3), ("BT.2020", BT2020), ("Adobe RGB", ADOBE), ("BT.709", BT709)):
        yield add(
            f"gAMA and cHRM of {name}", png(chart(), 2, gamma_chunk(0.45455), primaries_chunk(primaries)), "colour"
        )
        yield add(
            f"gAMA 1 and cHRM of {name}",
            png(reencode(pixels, primaries, 1.0, 16), 2, gamma_chunk(1.0), primaries_chunk(primaries), depth=16),
            "deep colour",
        )
    yield add("cHRM of P3 alone", png(chart(), 2, primaries_chunk(P3)), "colour")
    yield add(
        "cHRM with a white of D50",
        png(chart(), 2, gamma_chunk(0.45455), primaries_chunk(BT709, (0.3457, 0.3585))),
        "colour",
    )
    yield add("cHRM without sense", png(chart(), 2, gamma_chunk(0.45455), primaries_chunk([(0.3, 0.3)] * 3)), "colour")
    yield add("cHRM of zeros", png(chart(), 2, gamma_chunk(1.0), chunk(b"cHRM", bytes(32))), "colour")
    yield add("gAMA of zero", png(chart(), 2, chunk(b"gAMA", bytes(4))), "colour")
    yield add("gAMA too short", png(chart(), 2, chunk(b"gAMA", b"\0\1")), "colour")
    yield add("gAMA twice", png(chart(), 2, gamma_chunk(0.45455), gamma_chunk(1.0)), "colour")
    yield add("gAMA 1, grey", png(tones, 0, gamma_chunk(1.0)), "colour")
    yield add(
        "gAMA 1, grey 16 bit", png((linear(tones) * 65_535).round(), 0, gamma_chunk(1.0), depth=16), "deep colour"
    )
    yield add(
        "gAMA 1, rgb 16 bit", png((linear(pixels) * 65_535).round(), 2, gamma_chunk(1.0), depth=16), "deep colour"
    )
    yield add("gAMA 1, grey and alpha", png(np.dstack([tones, clear]), 4, gamma_chunk(1.0)), "colour")
    yield add("gAMA 1, rgb and alpha", png(np.dstack([pixels, clear]), 6, gamma_chunk(1.0)), "colour")
    yield add("gAMA 1, palette", png(np.asarray(reduced), 3, gamma_chunk(1.0), table), "colour")
    yield add(
        "gAMA 1, palette with transparency", png(np.asarray(reduced), 3, gamma_chunk(1.0), table, shades), "colour"
    )
    yield add("sRGB", png(chart(), 2, srgb), "colour")
    yield add("sRGB before gAMA 1", png(chart(), 2, srgb, gamma_chunk(1.0)), "colour")
    yield add("sRGB behind gAMA 1", png(chart(), 2, gamma_chunk(1.0), srgb), "colour")
    yield add("sRGB with an unknown intent", png(chart(), 2, chunk(b"sRGB", b"\x09"), gamma_chunk(1.0)), "colour")
    yield add("iCCP", png(chart(), 2, p3_profile), "profile")
    yield add("iCCP and gAMA 1", png(chart(), 2, gamma_chunk(1.0), p3_profile), "profile")
    yield add("iCCP and sRGB", png(chart(), 2, srgb, p3_profile), "profile")
    yield add("iCCP, rgb 16 bit", png(reencode(pixels, P3, 2.2, 16), 2, p3_profile, depth=16), "profile")
    yield add("iCCP, palette", png(np.asarray(reduced), 3, p3_profile, table), "profile")
    yield add("iCCP, rgb and alpha", png(np.dstack([pixels, clear]), 6, p3_profile), "profile")
    yield add("iCCP grey, grey", png(tones, 0, profile_chunk(profile(None, 1.4))), "profile")
    yield add("iCCP grey, grey 16 bit", png(fine[..., 0], 0, profile_chunk(profile(None, 1.4)), depth=16), "profile")
    yield add(
        "iCCP grey, grey and alpha", png(np.dstack([tones, clear]), 4, profile_chunk(profile(None, 1.4))), "profile"
    )
    yield add("iCCP rgb, grey", png(tones, 0, profile_chunk(profile(P3, 1.4))), "profile")
    yield add("iCCP grey, rgb", png(pixels, 2, profile_chunk(profile(None, 1.4))), "profile")
    yield add(
        "iCCP that is rubbish, gAMA 1", png(chart(), 2, profile_chunk(b"rubbish" * 50), gamma_chunk(1.0)), "colour"
    )
    yield add(
        "iCCP that does not open, sRGB",
        png(chart(), 2, chunk(b"iCCP", b"p\0\0rubbish"), srgb, gamma_chunk(1.0)),
        "colour",
    )
    yield add("cICP of P3", png(chart(), 2, cicp(12, 13)), "colour")
    yield add("cICP of P3 with a profile", png(chart(), 2, cicp(12, 13), profile_chunk(profile(BT2020, 1.0))), "colour")
    yield add("cICP of P3 with sRGB", png(chart(), 2, srgb, cicp(12, 13)), "colour")
    yield add("cICP twice", png(chart(), 2, cicp(12, 13), cicp(9, 8)), "colour")
    for primaries_code, transfer in (
        (1, 1),
        (9, 14),
        (9, 13),
        (1, 8),
        (1, 4),
        (1, 5),
        (6, 6),
        (11, 17),
        (7, 7),
        (5, 5),
        (4, 4),
        (8, 13),
        (22, 13),
        (9, 15),
        (1, 11),
    ):
        yield add(f"cICP {primaries_code} {transfer}", png(chart(), 2, cicp(primaries_code, transfer)), "colour")
    for name, odd in (
        ("limited range", cicp(12, 13, 0, 0)),
        ("unknown transfer", cicp(12, 3)),
        ("unknown primaries", cicp(200, 13)),
        ("unspecified", cicp(2, 2)),
        ("logarithmic", cicp(12, 9)),
        ("too short", chunk(b"cICP", b"\x0c\x0d\0")),
    ):
        yield add(f"cICP, {name}, and gAMA 1", png(chart(), 2, odd, gamma_chunk(1.0)), "colour")
    yield add("cICP of P3, grey", png(tones, 0, cicp(12, 8)), "colour")
    yield add("cICP of P3, palette", png(np.asarray(reduced), 3, cicp(12, 13), table), "colour")
    yield add("cICP of P3, rgb and alpha", png(np.dstack([pixels, clear]), 6, cicp(12, 13)), "colour")
    # High dynamic range.
    for primaries_code in (9, 12, 1):
        for transfer in (16, 18):
            yield add(
                f"cICP {primaries_code} {transfer}",
                png(chart(), 2, cicp(primaries_code, transfer)),
                "hdr" if (primaries_code, transfer) == (9, 16) else "hdr, converted",
            )
    yield add("PQ, photograph, 16 bit", png(_pq(pixels), 2, cicp(9, 16), depth=16), "hdr")
    yield add("PQ, rgb and alpha", png(np.dstack([chart(), clear]), 6, cicp(9, 16)), "hdr")
    yield add("PQ, grey", png(tones, 0, cicp(9, 16)), "hdr")
    yield add("HLG, palette", png(np.asarray(reduced), 3, cicp(9, 18), table), "hdr, converted")
    for light in (400, 4000):
        yield add(
            f"PQ, cLLI of {light}",
            png(chart(), 2, cicp(9, 16), chunk(b"cLLI", struct.pack(">II", light * 10_000, 1_000_000))),
            "hdr",
        )
    mastering = struct.pack(">8H", 35_400, 14_600, 8500, 39_850, 6550, 2300, 15_635, 16_450)
    yield add(
        "PQ, mDCV of 600",
        png(chart(), 2, cicp(9, 16), chunk(b"mDCV", mastering + struct.pack(">II", 6_000_000, 1))),
        "hdr",
    )
    yield add(
        "PQ, cLLI of 100",
        png(chart() // 2, 2, cicp(9, 16), chunk(b"cLLI", struct.pack(">II", 1_000_000, 500_000))),
        "hdr",
    )
    yield add("PQ, cLLI of 0", png(chart(), 2, cicp(9, 16), chunk(b"cLLI", bytes(8))), "hdr")
    yield add(
        "HLG, cLLI of 400",
        png(chart(), 2, cicp(9, 18), chunk(b"cLLI", struct.pack(">II", 4_000_000, 1_000_000))),
        "hdr, converted",
    )
    # Wrong checksums.
    for name, content in (
        ("tEXt", b"Comment\0hello"), ("zTXt", b"C\0\0" + zlib.compress(b"hello")), ("gAMA", struct.pack(">I", 100_000)),
        ("iCCP", b"p\0\0" + zlib.compress(profile(P3, 1.0))), ("cICP", bytes((9, 8, 0, 1))), ("sRGB", b"\0"),
        ("pHYs", bytes(9)), ("eXIf", exif(6).tobytes()[6:]), ("tRNS", struct.pack(">HHH", 200, 40, 60)),
        ("tIME", bytes(7)),
    ):  # fmt: skip
        yield add(f"wrong checksum in {name}", png(pixels, 2, spoilt(chunk(name.encode(), content))))
    yield add("wrong checksum in iCCP, gAMA 1", png(chart(), 2, spoilt(p3_profile), gamma_chunk(1.0)), "colour")
    yield add(
        "wrong checksum in IDAT",
        header(WIDTH, HEIGHT, 8, 2) + spoilt(chunk(b"IDAT", scanlines(pixels))) + chunk(b"IEND", b""),
    )
    yield add("wrong checksum in PLTE", png(np.asarray(reduced), 3, spoilt(table)), "refused")
    yield add("wrong checksum in IEND", png(pixels, 2)[:-1] + b"\0")
    yield add(
        "wrong checksum of zlib",
        header(WIDTH, HEIGHT, 8, 2) + chunk(b"IDAT", scanlines(pixels)[:-4] + b"abcd") + chunk(b"IEND", b""),
    )
    yield add("text of 2 MB", png(pixels, 2, chunk(b"tEXt", b"workflow\0" + b"a" * 2**21)))
    yield add("many texts", png(pixels, 2, *[chunk(b"tEXt", b"k%d\0v" % n) for n in range(2000)]))
    yield add("unknown chunks", png(pixels, 2, chunk(b"vpAg", bytes(9)), chunk(b"prVt", b"x")))
    yield add("data behind the end", png(pixels, 2) + b"x" * 5000)
    yield add("text behind the pixels", png(pixels, 2, after=chunk(b"tEXt", b"Comment\0hello")))
    # Animations.
    still, moving = chunk(b"IDAT", scanlines(pixels)), scanlines(pixels[::-1])
    two = chunk(b"acTL", struct.pack(">II", 2, 0))
    whole = header(WIDTH, HEIGHT, 8, 2)
    yield add(
        "animation",
        whole
        + two
        + frame_control(0, WIDTH, HEIGHT)
        + still
        + frame_control(1, WIDTH, HEIGHT)
        + chunk(b"fdAT", struct.pack(">I", 2) + moving)
        + chunk(b"IEND", b""),
    )
    yield add(
        "animation without its default picture",
        whole
        + two
        + still
        + frame_control(0, WIDTH, HEIGHT)
        + chunk(b"fdAT", struct.pack(">I", 1) + moving)
        + frame_control(2, WIDTH, HEIGHT)
        + chunk(b"fdAT", struct.pack(">I", 3) + moving)
        + chunk(b"IEND", b""),
    )
    part = scanlines(pixels[40:240, 60:360])
    yield add(
        "animation whose first frame is smaller",
        whole
        + two
        + still
        + frame_control(0, 300, 200, 60, 40)
        + chunk(b"fdAT", struct.pack(">I", 1) + part)
        + frame_control(2, WIDTH, HEIGHT)
        + chunk(b"fdAT", struct.pack(">I", 3) + moving)
        + chunk(b"IEND", b""),
    )
    yield add(
        "animation of no frames",
        whole
        + chunk(b"acTL", bytes(8))
        + still
        + frame_control(0, WIDTH, HEIGHT)
        + chunk(b"fdAT", struct.pack(">I", 1) + moving)
        + chunk(b"IEND", b""),
    )
    # Cut off.
    plain = png(pixels, 2)
    yield add("without its end", plain[:-12], "cut")
    yield add("without its last checksum", plain[:-16], "cut")
    yield add("last 30 bytes missing", plain[:-30], "cut")
    for name, data in (
        ("rgb", plain), ("upright", saved(lake(), "PNG")), ("grey", png(tones, 0)),
        ("rgb 16 bit", png(deep, 2, depth=16)),
        ("grey 16 bit", png(deep[..., 0], 0, depth=16)), ("palette", png(np.asarray(reduced), 3, table)),
        ("alpha", png(np.dstack([pixels, np.maximum(clear, 60)]), 6)), ("grey 1 bit", png(tones >> 7, 0, depth=1)),
        ("many IDAT", header(WIDTH, HEIGHT, 8, 2) + _in_pieces(scanlines(pixels), 1000) + chunk(b"IEND", b"")),
        ("P3", png(pixels, 2, cicp(12, 13))),
    ):  # fmt: skip
        yield add(f"{name}, 97 % of the bytes", _cut(data, 97), "cut")
    yield add("interlaced, 97 % of the bytes", _cut(interlaced_png(pixels), 97), "cut")
    yield add("pixels damaged near the end", _damaged(plain, 0.97), "cut")
    for part_left in (80, 40):
        yield add(f"{part_left} % of the bytes", _cut(plain, part_left), "too short")
    yield add("only its head", plain[:33], "refused")
    yield add("for Apple's devices (CgBI)", _apple(np.dstack([pixels[..., ::-1], np.full_like(clear, 255)])), "refused")


def _in_pieces(compressed: bytes, size: int) -> bytes:
    return b"".join(chunk(b"IDAT", compressed[at : at + size]) for at in range(0, len(compressed), size))


def _damaged(data: bytes, place: float) -> bytes:
    at = int(len(data) * place)
    return data[:at] + bytes(v ^ 0x5A for v in data[at : at + 20]) + data[at + 20 :]


def _apple(bgra: U8) -> bytes:
    """As Xcode writes PNGs: raw deflate, blue first."""
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    raw = packer.compress(b"".join(b"\0" + row.tobytes() for row in bgra)) + packer.flush()
    head = header(WIDTH, HEIGHT, 8, 6)
    return head[:8] + chunk(b"CgBI", b"\x50\0\x20\2") + head[8:] + chunk(b"IDAT", raw) + chunk(b"IEND", b"")


def _pq(pixels: U8) -> Any:
    """The photograph as PQ (ITU-R BT.2100) in BT.2020, its white at 600 cd/m², uint16."""
    light = np.clip(linear(pixels) @ (np.linalg.inv(to_xyz(BT2020)) @ to_xyz(BT709)).T, 0, 1) * 600 / 10_000
    powered = light ** (2610 / 16_384)
    signal = ((3424 / 4096 + 2413 / 128 * powered) / (1 + 2392 / 128 * powered)) ** (2523 / 32)
    return np.round(signal * 65_535)


# --- GIF --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GifFrame:
    """indices: uint8 (height, width) into the palette, (n, 3) with n a power of two; None: the screen's palette."""

    indices: U8
    x: int = 0
    y: int = 0
    palette: U8 | None = None
    transparent: int | None = None
    disposal: int = 0
    interlaced: bool = False


def gif(screen: tuple[int, int], frames: Sequence[GifFrame], palette: U8 | None, background: int = 0) -> bytes:
    """A GIF89a (its specification, 17-23)."""
    flags = 0 if palette is None else 0x80 | (len(palette).bit_length() - 2)
    data = b"GIF89a" + struct.pack("<HHBBB", *screen, flags, background, 0)
    data += b"" if palette is None else palette.tobytes()
    for frame in frames:
        control = frame.disposal << 2 | (frame.transparent is not None)
        data += b"!\xf9\x04" + struct.pack("<BHB", control, 10, frame.transparent or 0) + b"\0"
        height, width = frame.indices.shape
        local = 0 if frame.palette is None else 0x80 | (len(frame.palette).bit_length() - 2)
        data += b"," + struct.pack("<HHHHB", frame.x, frame.y, width, height, local | (0x40 if frame.interlaced else 0))
        data += b"" if frame.palette is None else frame.palette.tobytes()
        rows = frame.indices
        if frame.interlaced:
            rows = np.concatenate([rows[0::8], rows[4::8], rows[2::4], rows[1::2]])
        data += _lzw(rows)
    return data + b";"


def _lzw(indices: U8) -> bytes:
    """The indices as codes of nine bits, with a clear code before the table grows, in sub-blocks."""
    codes: list[int] = []
    flat = indices.reshape(-1).tolist()
    for at in range(0, len(flat), 250):
        codes += [256, *flat[at : at + 250]]
    codes.append(257)
    bits = (np.array(codes)[:, None] >> np.arange(9)) & 1
    packed = np.packbits(bits.reshape(-1).astype(np.uint8), bitorder="little").tobytes()
    blocks = b"".join(bytes((len(packed[at : at + 255]),)) + packed[at : at + 255] for at in range(0, len(packed), 255))
    return b"\x08" + blocks + b"\0"


def gifs() -> Iterator[PictureFile]:
    def add(name: str, data: bytes, kind: str = "exact") -> PictureFile:
        return PictureFile(f"gif {name}", data, kind)

    reduced = Image.fromarray(flower()).quantize(256)
    indices = np.asarray(reduced)
    palette = np.array(reduced.getpalette(), np.uint8).reshape(-1, 3)
    palette = np.concatenate([palette, np.zeros((256 - len(palette), 3), np.uint8)])
    other = palette[::-1].copy()
    screen = (WIDTH, HEIGHT)
    part = GifFrame(indices[40:260, 60:340], 60, 40)
    yield add("by a library", saved(reduced, "GIF"))
    yield add("of 16 colours, by a library", saved(Image.fromarray(lake()).quantize(16), "GIF"))
    yield add("grey, by a library", saved(grey(flower()), "GIF"))
    yield add("interlaced, by a library", saved(reduced, "GIF", interlace=1))
    yield add(
        "animated, by a library",
        saved(
            Image.fromarray(flower()).quantize(64),
            "GIF",
            save_all=True,
            append_images=[Image.fromarray(chart()).quantize(64)],
            duration=100,
        ),
    )
    yield add("by hand", gif(screen, [GifFrame(indices)], palette))
    yield add("interlaced", gif(screen, [GifFrame(indices, interlaced=True)], palette))
    yield add("a palette of its own", gif(screen, [GifFrame(indices, palette=palette)], None))
    yield add("both palettes", gif(screen, [GifFrame(indices, palette=palette)], other))
    yield add("undefined", gif(screen, [GifFrame(indices)], None), "undefined")
    yield add("transparent colour", gif(screen, [GifFrame(indices, transparent=int(indices[20, 20]))], palette))
    for background in (0, 7, 255):
        yield add(f"smaller than its screen, background {background}", gif(screen, [part], palette, background))
    yield add(
        "smaller than its screen, transparent",
        gif(screen, [GifFrame(part.indices, 60, 40, transparent=int(indices[150, 200]))], palette, 3),
    )
    yield add(
        "smaller than its screen, own palette", gif(screen, [GifFrame(part.indices, 60, 40, palette=palette)], None)
    )
    yield add(
        "smaller than its screen, interlaced", gif(screen, [GifFrame(part.indices, 60, 40, interlaced=True)], palette)
    )
    yield add("at the corner of its screen", gif(screen, [GifFrame(indices[:200, :300], 100, 120)], palette))
    yield add("larger than its screen", gif((350, 310), [GifFrame(indices)], palette), "exact")
    yield add("beyond its screen", gif(screen, [GifFrame(indices, 50, 30)], palette), "exact")
    yield add("screen of no size", gif((0, 0), [GifFrame(indices)], palette), "exact")
    for disposal in (1, 2, 3):
        yield add(
            f"first frame smaller, disposal {disposal}",
            gif(screen, [GifFrame(part.indices, 60, 40, disposal=disposal), GifFrame(indices[::-1])], palette),
        )
        yield add(
            f"two frames, disposal {disposal}",
            gif(screen, [GifFrame(indices, disposal=disposal), GifFrame(indices[::-1])], palette),
        )
    yield add("one pixel first", gif(screen, [GifFrame(indices[:1, :1]), GifFrame(indices)], palette))
    plain = gif(screen, [GifFrame(indices)], palette)
    yield add("without its end", plain[:-1], "cut")
    yield add("last 10 bytes missing", plain[:-10], "cut")
    yield add("97 % of the bytes", _cut(plain, 97), "cut")
    yield add("by a library, 97 % of the bytes", _cut(saved(reduced, "GIF"), 97), "cut")
    yield add("smaller than its screen, cut", gif(screen, [part], palette)[:-900], "cut")
    yield add(
        "interlaced, 98 % of the bytes",
        _cut(gif(screen, [GifFrame(indices, interlaced=True)], palette), 98),
        "cut",
    )
    yield add("second frame cut", gif(screen, [GifFrame(indices), GifFrame(indices[::-1])], palette)[:-30_000])
    yield add("60 % of the bytes", _cut(plain, 60), "too short")
    yield add("data behind", plain + b"<html>")


# --- BMP --------------------------------------------------------------------------------------------------------------


def bmp(
    rows: Any, bits: int, *, palette: bytes = b"", compression: int = 0, header_size: int = 40,
    masks: Sequence[int] = (), top_down: bool = False,
    data: bytes | None = None, size: tuple[int, int] | None = None, extra: bytes = b"",
) -> bytes:  # fmt: skip
    """A BMP: rows of samples from top to bottom, or `data` as it is. Masks are red, green, blue[, alpha]."""
    height, width = size or rows.shape[:2]
    if data is None:
        lines = [row.tobytes() for row in (rows if top_down else rows[::-1])]
        data = b"".join(line + bytes(-len(line) % 4) for line in lines)
    table = b"".join(struct.pack("<I", mask) for mask in masks)
    inside = table if header_size > 40 else b""
    outside = table if header_size == 40 else b""
    info = struct.pack("<IiiHHIIiiII", header_size, width, -height if top_down else height, 1, bits, compression,
                       len(data), 2835, 2835, len(palette) // 4, 0)  # fmt: skip
    info = (info + inside + extra).ljust(header_size, b"\0")
    offset = 14 + len(info) + len(outside) + len(palette)
    return b"BM" + struct.pack("<IHHI", offset + len(data), 0, 0, offset) + info + outside + palette + data


def bitfields(pixels: U8, alphas: U8, layout: Sequence[tuple[int, int]], bits: int) -> Any:
    """Pixels packed as (shift, bits) of red, green, blue and alpha say: uint16 or uint32 (height, width)."""
    packed = np.zeros(pixels.shape[:2], np.uint64)
    for channel, (shift, depth) in zip([*np.moveaxis(pixels, 2, 0), alphas], layout, strict=False):
        value = channel.astype(np.uint64)
        value = value >> (8 - depth) if depth <= 8 else (value * (2**depth - 1) + 127) // 255
        packed |= value << shift
    return packed.astype("<u2" if bits == 16 else "<u4")


def _masks(layout: Sequence[tuple[int, int]]) -> list[int]:
    return [(2**depth - 1) << shift for shift, depth in layout]


def _run_lengths(indices: U8, *, nibbles: bool = False) -> bytes:
    """RLE8 or RLE4: runs, with every ninth row in absolute mode."""
    data = b""
    for number, row in enumerate(indices[::-1].tolist()):
        at = 0
        while at < len(row):
            if number % 9 == 0 and len(row) - at >= 4:
                count = min(200, len(row) - at) & ~3
                values = row[at : at + count]
                raw = (
                    bytes(a << 4 | b for a, b in zip(values[::2], values[1::2], strict=True))
                    if nibbles
                    else bytes(values)
                )
                data += bytes((0, count)) + raw + bytes(len(raw) % 2)
                at += count
                continue
            count = 1
            while count < 255 and at + count < len(row) and row[at + count] == row[at]:
                count += 1
            data += bytes((count, row[at] << 4 | row[at] if nibbles else row[at]))
            at += count
        data += b"\0\0"
    return data + b"\0\1"


def _with_hole(indices: U8) -> bytes:
    """RLE8 in which every row jumps over pixels 100 to 150, and over 20 whole rows."""
    data = b""
    for number, row in enumerate(indices[::-1]):
        if 40 <= number < 60:
            data += b"\0\2\0\1"
            continue
        data += b"\0\x64" + row[:100].tobytes() + b"\0\2\x32\0" + b"\0\xfa" + row[150:].tobytes() + b"\0\0"
    return data + b"\0\1"


def _with_profile(plain: bytes, icc: bytes, kind: bytes = b"DEBM") -> bytes:
    """A BMP of version 5 with a profile behind its pixels."""
    place = struct.pack("<II", len(plain) - 14, len(icc))
    return plain[:70] + kind + plain[74:126] + place + plain[134:] + icc


def bmps() -> Iterator[PictureFile]:
    def add(name: str, data: bytes, kind: str = "exact") -> PictureFile:
        return PictureFile(f"bmp {name}", data, kind)

    pixels, clear = flower(), alpha(flower().shape)
    blue_first = pixels[..., ::-1]
    zero, full = np.zeros_like(clear), np.full_like(clear, 255)
    yield add("24", bmp(blue_first, 24))
    yield add("24 upright", bmp(lake()[..., ::-1], 24))
    yield add("24 top-down", bmp(blue_first, 24, top_down=True))
    yield add("24 of odd width", bmp(blue_first[:, :-3], 24))
    yield add("32, fourth byte 0", bmp(np.dstack([blue_first, zero]), 32))
    yield add("32, fourth byte a ramp", bmp(np.dstack([blue_first, clear]), 32))
    yield add("32 top-down", bmp(np.dstack([blue_first, full]), 32, top_down=True))
    for size in (108, 124):
        yield add(f"24, header {size}", bmp(blue_first, 24, header_size=size))
        yield add(f"32, header {size}", bmp(np.dstack([blue_first, clear]), 32, header_size=size))
    layouts: dict[str, tuple[int, Sequence[tuple[int, int]]]] = {
        "8888 bgra": (32, [(16, 8), (8, 8), (0, 8), (24, 8)]),
        "8888 rgba": (32, [(0, 8), (8, 8), (16, 8), (24, 8)]),
        "8888 argb": (32, [(8, 8), (16, 8), (24, 8), (0, 8)]),
        "8888 abgr": (32, [(24, 8), (16, 8), (8, 8), (0, 8)]),
        "8888 grba": (32, [(8, 8), (0, 8), (16, 8), (24, 8)]),
        "2 10 10 10": (32, [(20, 10), (10, 10), (0, 10), (30, 2)]),
        "10 10 10 rgb": (32, [(0, 10), (10, 10), (20, 10), (30, 2)]),
        "32 of 565": (32, [(11, 5), (5, 6), (0, 5), (16, 8)]),
        "565": (16, [(11, 5), (5, 6), (0, 5)]),
        "565 blue first": (16, [(0, 5), (5, 6), (11, 5)]),
        "555": (16, [(10, 5), (5, 5), (0, 5)]),
        "1555": (16, [(10, 5), (5, 5), (0, 5), (15, 1)]),
        "4444": (16, [(8, 4), (4, 4), (0, 4), (12, 4)]),
        "444 odd": (16, [(12, 4), (6, 4), (1, 4)]),
        "332": (16, [(5, 3), (2, 3), (0, 2)]),
    }
    for name, (bits, layout) in layouts.items():
        packed = bitfields(pixels, clear, layout, bits)
        yield add(f"bitfields {name}", bmp(packed, bits, compression=3, masks=_masks(layout[:3])), "bitfields")
        if len(layout) == 4:
            for size in (56, 108, 124):
                yield add(
                    f"bitfields {name}, alpha, header {size}",
                    bmp(packed, bits, compression=3, masks=_masks(layout), header_size=size),
                    "alpha",
                )
        else:
            yield add(
                f"bitfields {name}, header 52",
                bmp(packed, bits, compression=3, masks=_masks(layout), header_size=52),
                "bitfields",
            )
    usual = layouts["8888 bgra"][1]
    yield add(
        "bitfields with an alpha of zeros",
        bmp(bitfields(pixels, zero, usual, 32), 32, compression=3, masks=_masks(usual), header_size=124),
        "alpha",
    )
    yield add(
        "bitfields with an alpha of ones",
        bmp(bitfields(pixels, full, usual, 32), 32, compression=3, masks=_masks(usual), header_size=108),
        "alpha",
    )
    yield add(
        "bitfields top-down",
        bmp(
            bitfields(pixels, full, layouts["8888 rgba"][1], 32),
            32,
            compression=3,
            masks=_masks(layouts["8888 rgba"][1][:3]),
            top_down=True,
        ),
        "bitfields",
    )
    yield add(
        "alpha bitfields (6)",
        bmp(bitfields(pixels, clear, usual, 32), 32, compression=6, masks=_masks(usual)),
        "alpha",
    )
    yield add(
        "masks that overlap",
        bmp(bitfields(pixels, clear, usual, 32), 32, compression=3, masks=[0xFF0000, 0xFF00, 0xFFFF]),
        "bitfields",
    )
    yield add(
        "masks with holes",
        bmp(bitfields(pixels, clear, usual, 32), 32, compression=3, masks=[0xF00F00, 0xFF, 0xFF000000]),
        "refused",
    )
    yield add("16 without masks", bmp(bitfields(pixels, clear, layouts["555"][1], 16), 16), "bitfields")
    yield add("16 top-down", bmp(bitfields(pixels, clear, layouts["555"][1], 16), 16, top_down=True), "bitfields")
    for depth in (1, 4, 8):
        reduced = Image.fromarray(pixels).quantize(2**depth)
        colours = np.array(reduced.getpalette(), np.uint8).reshape(-1, 3)[: 2**depth]
        table = np.dstack([colours[None, :, ::-1], np.zeros((1, len(colours), 1), np.uint8)]).tobytes()
        indices = np.asarray(reduced)
        shifted = np.unpackbits(indices[..., None], axis=2)[..., 8 - depth :]
        packed_rows = np.packbits(shifted.reshape(len(indices), -1), axis=1)
        yield add(f"palette {depth} bit", bmp(packed_rows, depth, palette=table, size=(HEIGHT, WIDTH)))
        yield add(
            f"palette {depth} bit, top-down",
            bmp(packed_rows, depth, palette=table, size=(HEIGHT, WIDTH), top_down=True),
        )
        if depth == 4:
            yield add(
                "run lengths, 4 bit",
                bmp(
                    None,
                    4,
                    palette=table,
                    compression=2,
                    size=(HEIGHT, WIDTH),
                    data=_run_lengths(indices, nibbles=True),
                ),
            )
    yield add(
        "run lengths, 8 bit",
        bmp(None, 8, palette=table, compression=1, size=(HEIGHT, WIDTH), data=_run_lengths(indices)),
    )
    coded = _run_lengths(indices)
    yield add(
        "run lengths with a hole",
        bmp(None, 8, palette=table, compression=1, size=(HEIGHT, WIDTH), data=_with_hole(indices)),
    )
    yield add(
        "run lengths that end early",
        bmp(None, 8, palette=table, compression=1, size=(HEIGHT, WIDTH), data=_run_lengths(indices[60:])),
    )
    yield add(
        "run lengths beyond the row",
        bmp(
            None,
            8,
            palette=table,
            compression=1,
            size=(HEIGHT, WIDTH),
            data=coded[:-2].replace(b"\0\0", b"\x09\x07\0\0") + b"\0\1",
        ),
    )
    yield add(
        "run lengths, 97 % of the bytes",
        bmp(None, 8, palette=table, compression=1, size=(HEIGHT, WIDTH), data=_cut(coded, 97)),
        "cut",
    )
    yield add(
        "run lengths without an end", bmp(None, 8, palette=table, compression=1, size=(HEIGHT, WIDTH), data=coded[:-2])
    )
    yield add(
        "run lengths, 70 % of the bytes",
        bmp(None, 8, palette=table, compression=1, size=(HEIGHT, WIDTH), data=_cut(coded, 70)),
        "too short",
    )
    deep = bmp(bitfields(chart(), clear, usual, 32), 32, compression=3, masks=_masks(usual), header_size=124)
    charted = bmp(chart()[..., ::-1], 24, header_size=124)
    yield add("a profile", _with_profile(charted, profile(P3, 1.8)), "profile")
    yield add("a profile, bitfields with alpha", _with_profile(deep, profile(ADOBE, 2.2)), "profile")
    yield add("a broken profile", _with_profile(charted, b"rubbish" * 40))
    yield add("a profile in another file", _with_profile(charted, b"c:\\p3.icc\0", b"KNIL"))
    yield add("few colours in the palette", bmp(np.minimum(indices, 99), 8, palette=table[:400], size=(HEIGHT, WIDTH)))
    lines = b"".join(row.tobytes() for row in blue_first[::-1])
    yield add("of OS/2, version 1", b"BM" + struct.pack("<IHHIIHHHH", 0, 0, 0, 26, 12, WIDTH, HEIGHT, 1, 24) + lines)
    yield add("of OS/2, version 2", bmp(blue_first, 24, header_size=64))
    yield add(
        "with a JPEG inside", bmp(None, 0, compression=4, size=(HEIGHT, WIDTH), data=saved(pixels, "JPEG")), "refused"
    )
    yield add(
        "of 2 bit",
        bmp(np.packbits(np.zeros((HEIGHT, WIDTH * 2), np.uint8), axis=1), 2, palette=table[:16], size=(HEIGHT, WIDTH)),
        "shown by Chromium only",
    )
    yield add("a file size of zero", bmp(blue_first, 24)[:2] + bytes(4) + bmp(blue_first, 24)[6:])
    yield add("last 10 bytes missing", bmp(blue_first, 24)[:-10], "cut")
    yield add("97 % of the bytes", _cut(bmp(blue_first, 24), 97), "cut")
    yield add("palette, 97 % of the bytes", _cut(bmp(indices, 8, palette=table), 97), "cut")
    yield add(
        "bitfields, 97 % of the bytes",
        _cut(
            bmp(
                bitfields(pixels, full, layouts["8888 rgba"][1], 32),
                32,
                compression=3,
                masks=_masks(layouts["8888 rgba"][1][:3]),
            ),
            97,
        ),
        "cut",
    )
    yield add("70 % of the bytes", _cut(bmp(blue_first, 24), 70), "too short")


# --- WebP and others --------------------------------------------------------------------------------------------------


def webps() -> Iterator[PictureFile]:
    def add(name: str, data: bytes, kind: str = "exact") -> PictureFile:
        return PictureFile(f"webp {name}", data, kind)

    pixels = flower()
    with_alpha = np.dstack([pixels, alpha(pixels.shape)])
    yield add("lossy", saved(pixels, "WEBP", quality=90), "jpeg")
    yield add("lossy, upright", saved(lake(), "WEBP", quality=60), "jpeg")
    yield add("lossless", saved(pixels, "WEBP", lossless=True))
    yield add("lossless with alpha", saved(with_alpha, "WEBP", lossless=True, exact=True), "alpha")
    yield add("lossy with alpha", saved(with_alpha, "WEBP", quality=90), "alpha")
    yield add(
        "animated",
        saved(
            Image.fromarray(pixels),
            "WEBP",
            save_all=True,
            append_images=[Image.fromarray(chart())],
            lossless=True,
            duration=100,
        ),
    )
    yield add("a profile", saved(chart(), "WEBP", lossless=True, icc_profile=profile(P3, 2.2)), "profile")
    yield add(
        "a profile with alpha",
        saved(
            np.dstack([chart(), alpha(pixels.shape)]),
            "WEBP",
            lossless=True,
            exact=True,
            icc_profile=profile(ADOBE, 2.2),
        ),
        "profile",
    )
    yield add("a broken profile", saved(pixels, "WEBP", lossless=True, icc_profile=b"rubbish" * 40))
    for orientation in (1, 6):
        yield add(
            f"exif orientation {orientation}",
            saved(pixels, "WEBP", lossless=True, exif=exif(orientation)),
            "turned" if orientation == 6 else "exact",
        )
    yield add("data behind", saved(pixels, "WEBP", lossless=True) + b"x" * 999)
    yield add("97 % of the bytes", _cut(saved(pixels, "WEBP", quality=90), 97), "shown by Chromium only")
    yield add("50 % of the bytes", _cut(saved(pixels, "WEBP", quality=90), 50), "shown by Chromium only")


def others() -> Iterator[PictureFile]:
    icon = io.BytesIO()
    Image.fromarray(flower()).resize((256, 256)).save(icon, "ICO")
    names = {
        "heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(60),
        "jpeg 2000": saved(flower(), "JPEG2000"),
        "photoshop": b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, HEIGHT, WIDTH, 8, 3) + bytes(40),
        "pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
        "film": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(60),
        "page": b"<!doctype html><html><body>404</body></html>",
        "nothing": b"",
        "tiff": saved(flower(), "TIFF"),
        "text": b"hello, this is no picture\n",
    }
    for name, data in names.items():
        yield PictureFile(f"other {name}", data, "shown by Vivant only" if name == "tiff" else "refused")
    yield PictureFile("other avif", saved(flower(), "AVIF"), "shown by Chromium only")
    yield PictureFile("other icon", icon.getvalue(), "shown by Chromium only")


FAMILIES: Final[dict[str, Callable[[], Iterator[PictureFile]]]] = {
    "jpeg": jpegs, "png": pngs, "gif": gifs, "bmp": bmps, "webp": webps, "other": others,
}  # fmt: skip


@cache
def picture_files(family: str) -> tuple[PictureFile, ...]:
    """All files of one family; names are unique."""
    files = tuple(FAMILIES[family]())
    assert len({file.name for file in files}) == len(files)
    return files
