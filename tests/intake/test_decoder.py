"""The decoder: every format and mode keeps its look, and everything outside the bounds is refused."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from vivant.errors import InvalidPicture, PictureOutOfBounds, PictureTooLarge, UnreadablePicture, UnsupportedPicture
from vivant.intake import decoder
from vivant.intake.decoding.clean import clean, stored_size
from vivant.intake.decoding.formats import FORMATS
from vivant.intake.decoding.orientation import UPRIGHT
from vivant.media import U8

WIDTH, HEIGHT = 480, 360


@pytest.fixture(scope="module")
def photo() -> U8:
    """RGB (360, 480, 3): smooth, with every corner of another colour, so that any rotation or mirroring shows."""
    y, x = np.mgrid[0 : 1 : HEIGHT * 1j, 0 : 1 : WIDTH * 1j]
    return np.stack([255 * x, 255 * y, 255 * (1 - x) * (1 - y)], axis=-1).round().astype(np.uint8)


def save(picture: Image.Image, kind: str, **options: Any) -> bytes:
    data = io.BytesIO()
    picture.save(data, kind, **options)
    return data.getvalue()


def clean_and_open(data: bytes, ratio: str | None = None) -> U8:
    png, width, height = clean(data, ratio=ratio)
    with Image.open(io.BytesIO(png)) as picture:
        assert picture.format == "PNG" and picture.mode == "RGB" and picture.size == (width, height)
        assert not picture.info
        return np.asarray(picture)


def difference(a: U8, b: U8) -> float:
    """Mean absolute difference in levels of 255."""
    assert a.shape == b.shape
    return float(np.abs(a.astype(int) - b.astype(int)).mean())


@pytest.mark.parametrize("kind", FORMATS)
def test_each_of_the_six_kinds_is_read(photo: U8, kind: str) -> None:
    lossy = {"JPEG": 2.0, "WEBP": 3.0, "GIF": 12.0}
    assert difference(clean_and_open(save(Image.fromarray(photo), kind)), photo) <= lossy.get(kind, 0)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_undone(photo: U8, kind: str, orientation: int) -> None:
    upright = Image.fromarray(photo)
    # The inverse of what a viewer must do, as in the file of a camera held this way.
    undo = {5: 5, 6: 8, 7: 7, 8: 6}.get(orientation, orientation)
    lying = upright if undo == 1 else upright.transpose(UPRIGHT[undo])
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert difference(clean_and_open(save(lying, kind, exif=exif)), photo) < 3.5


def test_bounds_are_judged_after_orientation() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    with pytest.raises(PictureOutOfBounds, match="this picture is 300x600"):
        clean(save(Image.new("RGB", (600, 300)), "JPEG", exif=exif))


@pytest.mark.parametrize(
    ("width", "height", "allowed"),
    [
        (300, 400, False), (301, 400, True), (400, 300, False), (400, 301, True),
        (6000, 3000, False), (5999, 3000, True), (3000, 6000, False), (3000, 5999, True),
        (400, 1000, False), (401, 1000, True), (1000, 400, False), (1000, 401, True), (1, 1, False),
    ],
)  # fmt: skip
def test_sides_and_aspect_lie_inside_open_intervals(width: int, height: int, allowed: bool) -> None:
    data = save(Image.new("1", (width, height)), "PNG")
    if allowed:
        clean(data)
    else:
        with pytest.raises(PictureOutOfBounds, match=f"this picture is {width}x{height}"):
            clean(data)


def test_too_large_a_picture_has_an_error_of_its_own() -> None:
    with pytest.raises(PictureTooLarge):
        clean(save(Image.new("1", (6000, 3000)), "PNG"))


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bit_grey_is_scaled_not_clipped(kind: str) -> None:
    ramp = np.tile(np.linspace(0, 65_535, WIDTH).astype(np.uint16), (HEIGHT, 1))
    expected = np.repeat(np.rint(ramp / 257).astype(np.uint8)[..., None], 3, axis=-1)
    assert difference(clean_and_open(save(Image.fromarray(ramp), kind)), expected) < 0.01


@pytest.mark.parametrize("white_is_zero", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("size", [(480, 360), (4000, 2400)])
def test_sixteen_bit_grey_may_have_zero_for_white(white_is_zero: bool, order: str, size: tuple[int, int]) -> None:
    width, height = size
    ramp = np.tile(np.linspace(0, 65_535, width).astype(np.uint16), (height, 1))
    stored = (65_535 - ramp if white_is_zero else ramp).astype(f"{order}u2").tobytes()
    photometric = int(not white_is_zero)
    tags = {256: width, 257: height, 258: 16, 259: 1, 262: photometric, 273: 200, 277: 1, 278: height, 279: len(stored)}
    entries = b"".join(struct.pack(f"{order}HHII", tag, 4, 1, value) for tag, value in tags.items())
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}IH", 8, len(tags)) + entries + bytes(4)
    result = clean_and_open(head.ljust(200, b"\0") + stored)
    assert result[:, 0].max() <= 2 and result[:, -1].min() >= 253
    assert np.all(np.diff(result[100, :, 0].astype(int)) >= 0)


@pytest.mark.parametrize("mode", ["RGB", "YCbCr", "L"])
def test_a_jpeg_inside_a_tiff_is_read(photo: U8, mode: str) -> None:
    picture = Image.fromarray(photo).convert(mode)
    expected = np.asarray(picture.convert("RGB"))
    assert difference(clean_and_open(save(picture, "TIFF", compression="jpeg", quality=95)), expected) < 2


def test_a_tiff_of_a_kind_that_is_not_read_says_so() -> None:
    tags = {256: 400, 257: 400, 258: 16, 259: 34_887, 262: 1, 273: 200, 277: 1, 278: 400, 279: 100}  # LERC
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    data = (b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4)).ljust(400, b"\0")
    with pytest.raises(UnsupportedPicture, match="TIFF's samples or compression"):
        clean(data)


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
@pytest.mark.parametrize("channels", [3, 4])
def test_sixteen_bit_colour_is_scaled_not_clipped(photo: U8, suffix: str, channels: int) -> None:
    deep = photo.astype(np.uint16) * 257
    if channels == 4:
        deep = np.dstack([deep, np.full(deep.shape[:2], 65_535, np.uint16)])
    done, data = cv2.imencode(suffix, deep[..., [2, 1, 0, 3][:channels] if channels == 4 else [2, 1, 0]])
    assert done
    assert difference(clean_and_open(data.tobytes()), photo) <= 1


def test_large_sixteen_bit_grey_is_scaled_too() -> None:
    ramp = np.tile(np.linspace(0, 65_535, 4000).astype(np.uint16), (2400, 1))
    result = clean_and_open(save(Image.fromarray(ramp), "PNG"))
    assert result.shape[1] < 4000
    assert result[:, 0].max() <= 2 and result[:, -1].min() >= 253
    assert np.all(np.diff(result[100, :, 0].astype(int)) >= 0)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_transparency_shows_white(mode: str, kind: str) -> None:
    picture = Image.new("RGBA", (400, 400), (200, 200, 200, 0))
    picture.paste((40, 40, 40, 255), (0, 0, 200, 400))
    result = clean_and_open(save(picture.convert(mode), kind, **({"lossless": True} if kind == "WEBP" else {})))
    assert np.all(result[:, :195] == 40) and np.all(result[:, 205:] == 255)


def test_half_transparency_is_half_white() -> None:
    result = clean_and_open(save(Image.new("RGBA", (400, 400), (0, 0, 0, 128)), "PNG"))
    assert np.all(np.abs(result.astype(int) - 127) <= 1)


@pytest.mark.parametrize("transparency", [3, bytes([255, 255, 255, 0])], ids=["one colour", "table"])
def test_transparent_palette_entries_show_white(transparency: int | bytes) -> None:
    picture = Image.new("P", (400, 400), 3)
    picture.putpalette([0, 0, 0, 250, 10, 10, 10, 250, 10, 10, 10, 250])
    picture.paste(1, (0, 0, 200, 400))
    result = clean_and_open(save(picture, "PNG", transparency=transparency))
    assert np.all(result[0, 0] == (250, 10, 10)) and np.all(result[0, 399] == 255)


@pytest.mark.parametrize(
    ("mode", "colour", "transparency"), [("RGB", (9, 9, 200), (9, 9, 200)), ("L", 77, 77), ("1", 0, 0)]
)
def test_a_colour_marked_transparent_shows_white(mode: str, colour: Any, transparency: Any) -> None:
    result = clean_and_open(save(Image.new(mode, (400, 400), colour), "PNG", transparency=transparency))
    assert np.all(result == 255)


def test_sixteen_bit_colour_with_a_transparent_colour_is_read() -> None:
    rows = b"".join(b"\0" + b"\x12\x34\x56\x78\x9a\xbc" * 400 for _ in range(400))
    data = png_of(400, 400, 16, 2, rows, extra=chunk(b"tRNS", b"\x12\x34\x56\x78\x9a\xbc"))
    result = clean_and_open(data)
    assert result.shape == (400, 400, 3)


def test_cmyk_comes_out_in_its_colours() -> None:
    picture = Image.new("CMYK", (400, 400), (0, 255, 255, 0))
    for kind in ("JPEG", "TIFF"):
        red = clean_and_open(save(picture, kind))[200, 200].astype(int)
        assert red[0] > 200 and red[1] < 70 and red[2] < 70


def test_cmyk_as_adobe_writes_it_is_not_a_negative() -> None:
    """Adobe's marker says that samples are stored inverted; Pillow writes that marker, and white must stay white."""
    data = save(Image.new("CMYK", (400, 400), (0, 0, 0, 0)), "JPEG")
    assert b"Adobe" in data
    assert np.all(clean_and_open(data) > 250)


def test_black_and_white_and_one_bit_palettes_are_read() -> None:
    assert np.all(clean_and_open(save(Image.new("1", (400, 400), 1), "TIFF", compression="group4")) == 255)


def test_lab_is_read() -> None:
    result = clean_and_open(save(Image.new("LAB", (400, 400), (255, 128, 128)), "TIFF"))
    assert np.all(result > 248)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame_counts(kind: str) -> None:
    frames = [Image.new("RGB", (400, 400), colour) for colour in ("red", "green", "blue")]
    options: dict[str, Any] = {"lossless": True} if kind == "WEBP" else {}
    data = save(frames[0], kind, save_all=True, append_images=frames[1:], duration=40, **options)
    assert np.all(clean_and_open(data) == (255, 0, 0))


def test_of_many_pages_the_first_counts() -> None:
    pages = [Image.new("RGB", (400, 400), colour) for colour in ("red", "green")]
    assert np.all(clean_and_open(save(pages[0], "TIFF", save_all=True, append_images=pages[1:])) == (255, 0, 0))


def test_an_embedded_profile_is_brought_to_srgb() -> None:
    """A profile whose red and green primaries are swapped must swap the picture's channels."""
    srgb = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    tags = {srgb[at : at + 4].decode(): at for at in range(132, 132 + 12 * int.from_bytes(srgb[128:132], "big"), 12)}
    red, green = tags["rXYZ"], tags["gXYZ"]
    srgb[red + 4 : red + 12], srgb[green + 4 : green + 12] = srgb[green + 4 : green + 12], srgb[red + 4 : red + 12]
    text = srgb.find("sRGB".encode("utf-16-be"))
    srgb[text : text + 8] = "xRGB".encode("utf-16-be")
    result = clean_and_open(save(Image.new("RGB", (400, 400), (255, 0, 0)), "PNG", icc_profile=bytes(srgb)))[
        0, 0
    ].astype(int)
    assert result[1] > 240 and result[0] < 30


@pytest.mark.parametrize(
    "profile", [b"\0" * 200, b"junk", ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()]
)
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK", "RGBA"])
def test_a_profile_that_does_not_fit_is_ignored(profile: bytes, mode: str) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    assert clean_and_open(save(Image.new(mode, (400, 400)), kind, icc_profile=profile)).shape == (400, 400, 3)


@pytest.mark.filterwarnings("ignore")  # as in the decoder process
def test_broken_exif_does_not_spoil_good_pixels(photo: U8) -> None:
    data = save(Image.fromarray(photo), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff" + b"\xff" * 40)
    assert difference(clean_and_open(data), photo) < 2


@pytest.mark.parametrize(
    ("size", "ratio"),
    [((5999, 3374), None), ((5000, 5000), "9:16"), ((2600, 5990), "21:9"), ((5900, 2400), "1:1")],
)
def test_the_stored_size_covers_the_largest_canvas_and_not_much_more(size: tuple[int, int], ratio: str) -> None:
    from vivant.media import crop_box
    from vivant.request import SIZES, nearest_ratio

    canvas = SIZES["1080p", ratio or nearest_ratio(*size)]
    width, height = stored_size(*size, ratio)
    left, top, right, bottom = crop_box(width, height, *canvas)
    gain = min((right - left) / canvas[0], (bottom - top) / canvas[1])
    assert gain >= 1.25 or (width, height) == size
    assert gain < 1.26
    assert abs(width / height - size[0] / size[1]) < 0.002


def test_small_pictures_are_kept_pixel_for_pixel(photo: U8) -> None:
    assert difference(clean_and_open(save(Image.fromarray(photo), "PNG"), ratio="21:9"), photo) == 0


def test_metadata_is_removed(photo: U8) -> None:
    exif = Image.Exif()
    exif[0x010E] = "SECRET PLACE"
    data = save(Image.fromarray(photo), "JPEG", exif=exif, comment=b"SECRET PLACE")
    assert b"SECRET PLACE" in data
    assert b"SECRET" not in clean(data)[0]


def test_what_is_appended_to_a_picture_is_removed(photo: U8) -> None:
    data = save(Image.fromarray(photo), "GIF") + b"<script>alert(1)</script>PK\x03\x04"
    assert b"script" not in clean(data)[0]


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack("!I", len(data)) + kind + data + struct.pack("!I", zlib.crc32(kind + data))


def png_of(width: int, height: int, depth: int, colour: int, rows: bytes, extra: bytes = b"") -> bytes:
    head = struct.pack("!IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + extra
        + chunk(b"IDAT", zlib.compress(rows, 9))
        + chunk(b"IEND", b"")
    )


def webp_canvas(width: int, height: int) -> bytes:
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBP" + b"VP8X" + struct.pack("<I", 10) + b"\x02\0\0\0" + size + b"ANIM" + struct.pack("<I", 6) + bytes(6)
    return b"RIFF" + struct.pack("<I", len(body)) + body


BOMBS = {
    "png 13000": png_of(13_000, 13_000, 1, 0, bytes(13_000 // 8 * 13_000 + 13_000)),
    "png 50000": png_of(50_000, 50_000, 1, 0, b""),
    "png 2^31": png_of(2**31 - 1, 2**31 - 1, 8, 2, b""),
    "gif 65535": b"GIF89a" + struct.pack("<HH", 65_535, 65_535) + b"\x80\0\0" + b"\0" * 6
    + b"," + struct.pack("<HHHHB", 0, 0, 65_535, 65_535, 0) + b"\x02\0;",
    "gif without a frame": b"GIF89a" + struct.pack("<HH", 65_535, 65_535) + b"\x80\0\0" + b"\0" * 6 + b";",
    "bmp 40000": b"BM" + struct.pack("<IHHI", 54, 0, 0, 54)
    + struct.pack("<IiiHHIIiiII", 40, 40_000, 40_000, 1, 24, 0, 0, 0, 0, 0, 0),
    "webp 16384": webp_canvas(16_384, 16_384),
    "tiff 60000": b"II*\0\x08\0\0\0" + struct.pack("<H", 3) + struct.pack("<HHII", 256, 4, 1, 60_000)
    + struct.pack("<HHII", 257, 4, 1, 60_000) + struct.pack("<HHII", 273, 4, 1, 8) + b"\0" * 4,
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_a_decompression_bomb_is_refused_by_its_header(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.init()  # some of Pillow's modules make a small picture when they are imported
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)  # as in the decoder process
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("pixels were decoded"))
    assert len(BOMBS[name]) < 30_000
    with pytest.raises(InvalidPicture) as refused:
        clean(BOMBS[name])
    assert isinstance(refused.value, PictureOutOfBounds | UnreadablePicture | UnsupportedPicture)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF"])
def test_a_truncated_file_is_unreadable(photo: U8, kind: str) -> None:
    data = save(Image.fromarray(photo), kind)
    answer, png = decoder.answer(data[: len(data) * 2 // 3], {"ratio": None})
    assert answer["error"] in (UnreadablePicture.code, UnsupportedPicture.code) and not png
    assert answer["message"].startswith("the picture ")


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\0", b"<svg xmlns='http://www.w3.org/2000/svg' width='400' height='400'/>", b"%PDF-1.7",
        b"\x89PNG\r\n\x1a\n", b"\0\0\0\x18ftypheic" + b"\0" * 40, b"P6 400 400 255\n" + bytes(480_000),
        b"8BPS\0\1" + bytes(100), b"RIFF\xff\xff\xff\xffWEBP", b"\0\0\1\0\1\0" + bytes(100),
    ],
)  # fmt: skip
def test_other_kinds_of_bytes_are_not_supported(data: bytes) -> None:
    with pytest.raises(InvalidPicture, match=r"must be jpeg, png|damaged"):
        clean(data)


@pytest.mark.parametrize("mode", ["F", "I"])
def test_thirty_two_bit_samples_are_refused_in_words(mode: str) -> None:
    with pytest.raises(UnsupportedPicture, match="32-bit"):
        clean(save(Image.new(mode, (400, 400)), "TIFF"))
