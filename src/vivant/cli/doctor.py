"""`vivant doctor`: checks everything that a clip needs, and says for each fault how to fix it."""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Final

import typer
from rich.console import Console

from vivant.cli.options import Data
from vivant.settings import Settings

FREE_DISK: Final = 2 * 2**30  # bytes; a 12 s 1080p clip with its pictures takes about 40 MiB


@dataclass(frozen=True, slots=True)
class Finding:
    subject: str
    passed: bool
    detail: str
    fix: str = ""


def doctor(data: Data = None) -> None:
    """Check the install, codecs, models, disk, database and file store. Exit code 1 if something must be fixed."""
    from vivant.settings import load_settings

    settings = load_settings(data=data)
    console = Console()
    faults = 0
    for check in CHECKS:
        for finding in check(settings):
            mark = "[green]✓[/green]" if finding.passed else "[red]✗[/red]"
            console.print(f"{mark} {finding.subject}: {finding.detail}", highlight=False, soft_wrap=True)
            if not finding.passed:
                faults += 1
                console.print(f"    fix: {finding.fix}", highlight=False, markup=False, soft_wrap=True)
    if faults:
        console.print(f"{faults} fault(s) found.")
        raise typer.Exit(1)
    console.print("No fault found.")


def _check_python(_: Settings) -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("Python", sys.version_info >= (3, 11), version, "install Python 3.11 or newer")


def _check_packages(_: Settings) -> Iterator[Finding]:
    needed = (
        "numpy",
        "cv2",
        "numba",
        "av",
        "onnxruntime",
        "scipy",
        "soundfile",
        "hibari",
        "pypinyin",
        "obstore",
    )
    missing = []
    for name in needed:
        try:
            import_module(name)
        except ImportError as error:
            missing.append(f"{name} ({error})")
    yield Finding(
        "Packages", not missing, ", ".join(missing) or f"{len(needed)} of {len(needed)} import",
        "make demo, or pip install --require-hashes -r requirements.lock",
    )  # fmt: skip


def _check_codecs(_: Settings) -> Iterator[Finding]:
    import av

    for name, mode in (("libx264", "w"), ("aac", "w"), ("h264", "r")):
        try:
            av.Codec(name, mode)  # type: ignore[arg-type]  # mode is "r" or "w"
            found = True
        except ValueError:  # av.codec.codec.UnknownCodecError
            found = False
        yield Finding(f"Codec {name}", found, f"PyAV {av.__version__}", "pip install --force-reinstall av")


def _check_assets(_: Settings) -> Iterator[Finding]:
    from vivant.assets import checksums, find_damaged

    bad = find_damaged()
    yield Finding(
        "Shipped files", not bad, ", ".join(bad) or f"{len(checksums())} with the right checksum",
        "install Vivant again; these files are missing or were changed",
    )  # fmt: skip


def _check_decoder(_: Settings) -> Iterator[Finding]:
    from vivant.assets import asset
    from vivant.errors import VivantError
    from vivant.intake.pictures import Intake

    async def decode() -> str:
        intake = Intake()
        await intake.start()
        try:
            picture = await intake.clean(asset("photos/mountain_lake.jpg").read_bytes(), field="sample")
        finally:
            await intake.stop()
        return f"a sandboxed process made {picture.width}x{picture.height} of the sample photo"

    try:
        detail, passed = asyncio.run(decode()), True
    except VivantError as error:
        detail, passed = str(error), False
    fix = "install Vivant and its packages into one virtual environment; the process does not read PYTHONPATH"
    yield Finding("Picture decoder", passed, detail, fix)


def _check_speech(_: Settings) -> Iterator[Finding]:
    from vivant.engines.diorama.sound.speech import g2p
    from vivant.engines.diorama.sound.speech.kokoro import Kokoro
    from vivant.errors import Misconfigured

    try:
        Kokoro()
        g2p.phonemize("Good evening.", "en")
        g2p.phonemize("晚上好。", "zh")
        detail, passed = "Kokoro-82M loads, its checksum is right; English and Chinese are read", True
    except Misconfigured as error:
        detail, passed = str(error), False
    yield Finding("Speech", passed, detail, "pip install --require-hashes -r requirements.lock")


def _check_data_folder(settings: Settings) -> Iterator[Finding]:
    folder = settings.data
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile(dir=folder):
            pass
    except OSError as error:
        yield Finding("Data folder", False, f"{folder}: {error.strerror}", "choose another with --data or VIVANT_DATA")
        return
    yield Finding("Data folder", True, str(folder))
    free = shutil.disk_usage(folder).free
    yield Finding("Free disk", free >= FREE_DISK, f"{free / 2**30:.1f} GiB", f"free {FREE_DISK / 2**30:.0f} GiB there")


def _check_database(settings: Settings) -> Iterator[Finding]:
    from vivant.record.database import check_record

    passed, detail = check_record(settings.database)
    yield Finding("Database", passed, detail, "restore the file from a backup, or start with an empty --data folder")


def _check_storage(settings: Settings) -> Iterator[Finding]:
    from vivant.errors import Misconfigured
    from vivant.storage.artifacts import Artifacts

    try:
        Artifacts(settings.storage)
        detail, passed = settings.storage, True
    except Misconfigured as error:
        detail, passed = str(error), False
    yield Finding("File store", passed, detail, "name a folder you may write to, like file:///srv/vivant/files")


CHECKS: Final[tuple[Callable[[Settings], Iterator[Finding]], ...]] = (
    _check_python, _check_packages, _check_codecs, _check_assets, _check_decoder, _check_speech, _check_data_folder,
    _check_database, _check_storage,
)  # fmt: skip
