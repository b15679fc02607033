"""`vivant doctor`: checks everything that a clip needs, and says for each fault how to fix it."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Final

import typer

from vivant.cli.options import Data
from vivant.cli.terminal import Terminal
from vivant.private_files import find_exposed, keep_files_private
from vivant.settings import Settings

FREE_DISK: Final = 2 * 2**30  # bytes; a 12 s 1080p clip with its pictures takes about 40 MiB
SHOWN: Final = 5  # files that others can read, by name


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
    keep_files_private()
    terminal = Terminal()
    faults = 0
    for check in CHECKS:
        for finding in check(settings):
            mark, colour = ("✓", "green") if finding.passed else ("✗", "red")
            terminal.print(f"{finding.subject}: {finding.detail}", mark=mark, mark_style=colour)
            if not finding.passed:
                faults += 1
                terminal.print(f"    fix: {finding.fix}")
    if faults:
        terminal.print(f"{faults} fault(s) found.")
        raise typer.Exit(1)
    terminal.print("No fault found.")


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
        "httpx2",
        "websockets",
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
            held = intake.decoders.confinement
        finally:
            await intake.stop()
        limits = ", ".join(f"{name}: {'yes' if holds else 'no'}" for name, holds in held.items())
        return f"a sandboxed process made {picture.width}x{picture.height} of the sample photo; {limits}"

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


def _check_depth_model(settings: Settings) -> Iterator[Finding]:
    """Only where one is named: it is never needed."""
    from vivant.engines.diorama.scene.depth_model import DepthModel
    from vivant.errors import Misconfigured

    depth_model = settings.options_of("diorama")["depth_model"]
    if not depth_model:
        return
    try:
        DepthModel(Path(depth_model))
        detail, passed = f"{depth_model} loads and answers", True
    except Misconfigured as error:
        detail, passed = str(error), False
    yield Finding("Depth model", passed, detail, "name another file in VIVANT_DIORAMA_DEPTH_MODEL, or none")


def _check_data_folder(settings: Settings) -> Iterator[Finding]:
    for subject, folder, fix in (
        ("Data folder", settings.data, "choose another with --data or VIVANT_DATA"),
        ("Scratch folder", settings.data / "scratch", "delete it when no service runs; a service makes it again"),
    ):
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with tempfile.TemporaryFile(dir=folder) as file:
                file.write(b"x")
        except OSError as error:
            yield Finding(subject, False, f"{folder}: {error.strerror}", fix)
            return
        yield Finding(subject, True, f"{folder}, mode {stat.S_IMODE(folder.stat().st_mode):04o}")


def _check_free_space(settings: Settings) -> Iterator[Finding]:
    from vivant.record.database import sqlite_path

    purposes: dict[int, list[str]] = {}  # device -> what lies on it
    folders: dict[int, Path] = {}
    for purpose, folder in (
        ("data", settings.data), ("database", sqlite_path(settings.database).parent), ("clips", _file_store(settings)),
    ):  # fmt: skip
        if folder is not None and folder.is_dir():
            device = folder.stat().st_dev
            purposes.setdefault(device, []).append(purpose)
            folders.setdefault(device, folder)
    for device, folder in folders.items():
        free = shutil.disk_usage(folder).free
        detail = f"{free / 2**30:.1f} GiB for {', '.join(purposes[device])}"
        yield Finding("Free disk", free >= FREE_DISK, detail, f"free {FREE_DISK / 2**30:.0f} GiB at {folder}")


def _check_modes(settings: Settings) -> Iterator[Finding]:
    """Whether other users of this machine can read prompts, clips, or the secrets that sign links."""
    from vivant.record.database import sqlite_path

    database = sqlite_path(settings.database)
    places = [
        settings.data,
        _file_store(settings),
        *(Path(f"{database}{end}") for end in ("", "-wal", "-shm", ".lock")),
    ]
    exposed = list(islice({path: None for place in places if place for path in find_exposed(place)}, SHOWN + 1))
    shown = ", ".join(f"{path} ({stat.S_IMODE(path.lstat().st_mode):04o})" for path in exposed[:SHOWN])
    more = " and more" if len(exposed) > SHOWN else ""
    tops = {place for place in places if place and any(path.is_relative_to(place) for path in exposed)}
    least = sorted(str(place) for place in tops if not tops & set(place.parents))
    yield Finding(
        "File modes", not exposed, f"others can read or change {shown}{more}" if exposed else "readable by you only",
        f"chmod -R go= {' '.join(map(shlex.quote, least))}",
    )  # fmt: skip


def _check_log(_: Settings) -> Iterator[Finding]:
    """Where the log of a service would go that is started as this command was."""
    try:
        mode = os.fstat(2).st_mode
        if stat.S_ISREG(mode):
            passed, detail = os.fstatvfs(2).f_bavail > 0, "a file on stderr"
        elif stat.S_ISCHR(mode):
            passed, detail = True, "a terminal on stderr" if os.isatty(2) else "stderr goes to a device: no log is kept"
        else:
            passed, detail = (
                True,
                "a pipe or socket on stderr; lines that its reader does not take are dropped and counted",
            )
    except OSError as error:
        passed, detail = False, f"stderr: {error.strerror}"
    yield Finding("Log", passed, detail, "free space on its disk, or send stderr elsewhere")


def _file_store(settings: Settings) -> Path | None:
    """The folder of the files, if they lie in one."""
    return Path(settings.storage.removeprefix("file://")) if settings.storage.startswith("file://") else None


def _check_database(settings: Settings) -> Iterator[Finding]:
    from vivant.record.database import check_record

    passed, detail = check_record(settings.database)
    yield Finding("Database", passed, detail, "restore the file from a backup, or start with an empty --data folder")


def _check_storage(settings: Settings) -> Iterator[Finding]:
    from vivant.dispatch.store_owner import StoreOwner, find_unknown_clips
    from vivant.errors import Misconfigured, StorageFailed
    from vivant.record.database import Record
    from vivant.storage.artifacts import Artifacts

    fix = "name a folder you may write to, like file:///srv/vivant/files"
    try:
        artifacts, record = Artifacts(settings.storage), Record(settings.database)
    except Misconfigured as error:
        yield Finding("File store", False, str(error), fix)
        return
    try:
        StoreOwner(artifacts, record).check()
        yield Finding("File store", True, settings.storage)
        unknown = find_unknown_clips(artifacts, record)
    except Misconfigured as error:
        yield Finding("File store", False, str(error), "see above; `vivant files adopt` makes it this record's")
    except StorageFailed as error:
        yield Finding("File store", False, f"{error} {error.detail}", fix)
    else:
        yield Finding(
            "Clips without a task", not unknown, f"{len(unknown)}",
            "`vivant files unknown` lists them; is the record an older backup? Delete the folders you do not need",
        )  # fmt: skip
    finally:
        record.close()


def _check_hardware(settings: Settings) -> Iterator[Finding]:
    from vivant.cli.recommend import recommend
    from vivant.hardware import find_cards, main_memory

    cards, ram = find_cards(), main_memory()
    disk = shutil.disk_usage(_nearest_folder(settings.data)).free
    seen = ", ".join(f"{card.name} with {card.memory / 2**30:.0f} GiB ({card.free / 2**30:.0f} free)" for card in cards)
    best = recommend(cards, ram=ram, disk=disk)
    with_model = f" with {best.model}" if best.model else ""
    yield Finding(
        "Cards", True, f"{seen or 'none'}; {ram / 2**30:.0f} GiB of main memory, {disk / 2**30:.0f} GiB of disk free. "
        f"Fits: {best.engine}{with_model}; {best.why} (docs/engines/hardware.md)",
    )  # fmt: skip

    if best.engine == "diffusers":
        yield Finding(f"Memory for {best.model}", True, _plan_memory(best.model, cards[0].free, ram))


def _plan_memory(model: str, card: int, ram: int) -> str:
    """How a known model would fit into so many free bytes of a card and of main memory, or what it lacks."""
    from vivant.engines.diffusers.known_plans import plan_known_model
    from vivant.engines.diffusers.memory import Machine
    from vivant.engines.diffusers.weights import known_models
    from vivant.errors import Misconfigured

    try:
        plan = plan_known_model(known_models()[model], Machine(card=card, ram=ram))
    except Misconfigured as error:
        return f"it does not fit: {error}"
    return f"5 s of 720p: {plan.describe()} (estimated)"


def _nearest_folder(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.exists())


def _check_engines(settings: Settings) -> Iterator[Finding]:
    from vivant.engines.registry import find_check, make_card
    from vivant.errors import Misconfigured

    for engine in settings.engines:
        options = settings.options_of(engine)
        try:
            card = make_card(engine, options)
        except Misconfigured as error:
            yield Finding(f"Engine {engine}", False, str(error), f"docs/engines/{engine}.md says what it needs")
            continue
        looked = find_check(engine)
        faults = (
            [f"{what}{f' ({more})' if more else ''}" for passed, what, more in looked(options) if not passed]
            if looked
            else []
        )
        fix = f"`vivant engines check {engine}` says more"
        yield Finding(f"Engine {engine}", not faults, "; ".join(faults) or card.title, fix)
        if not card.accepted:
            yield Finding(
                f"Licence of {card.model}", False, f"{card.licence} is not accepted", f"vivant models pull {card.model}"
            )


CHECKS: Final[tuple[Callable[[Settings], Iterator[Finding]], ...]] = (
    _check_python, _check_packages, _check_codecs, _check_assets, _check_decoder, _check_speech, _check_depth_model,
    _check_engines, _check_hardware,
    _check_data_folder, _check_database, _check_storage, _check_free_space, _check_modes, _check_log,
)  # fmt: skip
