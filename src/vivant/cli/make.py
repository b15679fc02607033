"""`vivant make`: a clip from a picture on this machine, without a server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vivant.cli.terminal import OutputFailed, Terminal
from vivant.errors import InvalidRequest, PictureTooManyBytes, UnreadablePicture
from vivant.request import FPS, PICTURE_BYTES, RATIOS, RESOLUTIONS

if TYPE_CHECKING:
    from vivant.media import U8, Pictures
    from vivant.request import Brief


def make(
    picture: Annotated[Path, typer.Argument(help="The first frame: jpeg, png, webp, bmp, tiff or gif.")],
    prompt: Annotated[str, typer.Option("-p", "--prompt", help="What happens; speech in double quotes.")],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="The MP4 to write.", show_default="PICTURE.mp4")
    ] = None,
    last_image: Annotated[Path | None, typer.Option(help="The last frame.")] = None,
    resolution: Annotated[str, typer.Option(help=" | ".join(RESOLUTIONS))] = "720p",
    ratio: Annotated[str, typer.Option(help=" | ".join((*RATIOS, "adaptive")))] = "adaptive",
    duration: Annotated[int, typer.Option(help="Seconds, 4..12.")] = 5,
    fps: Annotated[int, typer.Option(help=f"{FPS}.")] = FPS,
    seed: Annotated[int, typer.Option(help="-1..4294967295; -1 chooses one.")] = -1,
    camera_fixed: Annotated[bool, typer.Option("--camera-fixed", help="Hold the camera still.")] = False,
    watermark: Annotated[bool, typer.Option("--watermark", help="Draw the visible mark.")] = False,
    generate_audio: Annotated[bool, typer.Option("--audio/--no-audio", help="With sound.")] = True,
    service_tier: Annotated[str, typer.Option(help="default | flex; without a server it changes nothing.")] = "default",
    execution_expires_after: Annotated[int, typer.Option(help="Seconds, 3600..259200.")] = 172_800,
    engine_name: Annotated[
        str | None, typer.Option("--engine", help="Which engine.", show_default="the setting")
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Print what the engine understood.")] = False,
    explain_picture: Annotated[
        Path | None, typer.Option(metavar="SHEET.png", help="Draw what the engine saw in the picture on a PNG sheet.")
    ] = None,
    plan_only: Annotated[bool, typer.Option("--plan-only", help="Stop after the storyboard.")] = False,
) -> None:
    """Make one clip. Every field of the API is an option."""
    from vivant.engines.base import NullWatch
    from vivant.engines.registry import load_engine, make_card
    from vivant.generate import make_clip
    from vivant.request import Brief, Tier
    from vivant.settings import load_settings

    if fps != FPS:
        raise InvalidRequest(f"must be {FPS}, got {fps}.", field="fps")
    if service_tier not in list(Tier):
        raise InvalidRequest(f"must be default or flex, got {service_tier!r}.", field="service_tier")
    try:
        brief = Brief(
            prompt=prompt,
            resolution=resolution,
            ratio=None if ratio == "adaptive" else ratio,
            seconds=duration,
            seed=seed,
            camera_fixed=camera_fixed,
            watermark=watermark,
            generate_audio=generate_audio,
            tier=Tier(service_tier),
            expires_after=execution_expires_after,
        )
    except InvalidRequest as error:
        from vivant.api.dialects.novita import translate_error

        raise translate_error(error, ratio=ratio) from None  # the options are named as the API's fields
    target = out or picture.with_suffix(".mp4")
    terminal = Terminal()
    settings = load_settings(engines=engine_name)
    name = settings.engines[0]
    options = settings.options_of(name)
    with terminal.status("Reading the picture and loading the engine"):
        pictures = asyncio.run(_read_pictures(picture, last_image, brief=brief))
        height, width = pictures.first.shape[:2]
        request = brief.resolve(width, height, has_last_frame=pictures.last is not None)
        make_card(name, options).refuse(request)
        engine = load_engine(name, options)
        engine.setup()
    if explain_picture is not None:
        sheet = engine.draw_seen(request, pictures, NullWatch())
        if sheet is None:
            terminal.print(f"  The engine {engine.name} looks for nothing in the picture: no sheet.")
        else:
            _write_png(explain_picture, sheet)
            terminal.print(f"  {explain_picture}: what was seen in the picture")
    storyboard = engine.plan(request, pictures, NullWatch())
    for line in engine.explain(storyboard) if explain or plan_only else ():
        terminal.print(f"  {line}")
    if plan_only:
        return
    with terminal.progress("Making the clip") as show:
        facts, report = make_clip(engine, storyboard, pictures, request, target, _ProgressWatch(show))
        show(1.0)
    for line in _tell_report(report) if explain else ():
        terminal.print(f"  {line}")
    terminal.print(f"{target}: {facts.width}x{facts.height}, {float(facts.video_seconds):.2f} s, seed {request.seed}")


def _tell_report(report: Mapping[str, Any]) -> list[str]:
    """Lines on what an engine told of making the clip; notes were printed with the plan."""
    return [f"{name.replace('_', ' ')}: {value}" for name, value in report.items() if name != "notes"]


async def _read_pictures(first: Path, last: Path | None, *, brief: Brief) -> Pictures:
    """Both pictures, decoded in the sandbox like those of the API: a local file may come from anywhere, too."""
    from vivant.generate import decode_png
    from vivant.intake.pictures import Intake
    from vivant.media import Pictures

    intake = Intake()
    await intake.start()
    try:
        first_clean = await intake.clean(_read_file(first, "image"), field="image", ratio=brief.ratio)
        if last is None:
            return Pictures(decode_png(first_clean.png))
        ratio = brief.ratio_for(first_clean.width, first_clean.height)
        last_clean = await intake.clean(_read_file(last, "last_image"), field="last_image", ratio=ratio)
        return Pictures(decode_png(first_clean.png), decode_png(last_clean.png))
    finally:
        await intake.stop()


def _write_png(path: Path, picture: U8) -> None:
    """Whole or not at all: under another name first."""
    from PIL import Image

    part = path.with_name(f".{path.name}.part")
    try:
        Image.fromarray(picture).save(part, format="PNG")
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise OutputFailed(f"{path} cannot be written: {error.strerror or error}.") from None


def _read_file(path: Path, field: str) -> bytes:
    try:
        if path.stat().st_size > PICTURE_BYTES:
            raise PictureTooManyBytes(f"{path} has more than {PICTURE_BYTES} bytes.", field=field)
        return path.read_bytes()
    except OSError as error:
        raise UnreadablePicture(f"{path}: {error.strerror}.", field=field) from None


class _ProgressWatch:
    """A watch that hands each fraction to `show`. It never stops the work: Ctrl-C ends the whole command."""

    def __init__(self, show: Callable[[float], None]) -> None:
        self._show = show
        self.remembered: dict[str, Any] = {}

    def report(self, fraction: float, preview: object = None) -> None:
        self._show(fraction)

    def raise_if_stopping(self) -> None: ...

    def remember(self, data: Any) -> None:
        self.remembered = dict(data)
