"""One order by a program: pictures and prompt become files, the program runs, its film is read."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from vivant.engines.base import NullWatch, Watch
from vivant.engines.command.process import Ending, pick_environment, run_program
from vivant.engines.command.template import Template
from vivant.engines.generated.film import read_film
from vivant.engines.generated.footage import Footage
from vivant.engines.generated.order import Order, probe_order
from vivant.engines.generated.picture_files import to_png
from vivant.engines.generated.remote import says_out_of_memory
from vivant.engines.generated.remote_generator import KeptFrames
from vivant.engines.generated.settings import option
from vivant.errors import EngineFailed, Misconfigured, OutOfMemory

MOST_PROMPT: Final = 100_000  # bytes of one argument; Linux takes 128 KiB
_KILLED: Final = -9  # by the system when memory ran out, or by somebody


class CommandGenerator:
    """Implements `Generator`. Raises Misconfigured for options without a command."""

    name = "command"
    version = "1"

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = options
        self._first = Template.parse(options["run"])
        self._last = Template.parse(options["run_last"]) if options["run_last"] else self._first
        self._progress = re.compile(options["progress"])

    def setup(self) -> None:
        for line in (self._options["run"], self._options["run_last"]):
            if line and shutil.which(line[0], path=self._environment().get("PATH")) is None:
                raise Misconfigured(
                    f"There is no program {line[0]!r:.200} that can be run; it stands in VIVANT_COMMAND_RUN or "
                    "VIVANT_COMMAND_RUN_LAST."
                )

    def facts(self) -> dict[str, Any]:
        program = Path(self._options["run"][0]).name
        return {"program": program, **({"model": self._options["model"]} if self._options["model"] else {})}

    def generate(self, order: Order, watch: Watch) -> Footage:
        folder = Path(tempfile.mkdtemp(prefix="vivant-command-"))
        try:
            film, ending = self._run(order, folder, watch)
            check = watch.raise_if_stopping
            exact = order.last is not None
            footage = read_film(film, canvas=order.canvas, seconds=order.seconds, check=check, exact_end=exact)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return Footage(
            frames=KeptFrames(footage.frames, lambda: shutil.rmtree(folder, ignore_errors=True)),
            sound=footage.sound if order.audio else None,
            facts={**footage.facts, "program_seconds": round(ending.seconds, 3)},
        )

    def probe(self, watch: Watch) -> None:
        for _ in self.generate(probe_order(grid=option(self._options, "grid"), seconds=1), NullWatchOf(watch)).frames:
            watch.raise_if_stopping()

    def _run(self, order: Order, folder: Path, watch: Watch) -> tuple[Path, Ending]:
        """The film, and how the program ended. Raises EngineFailed when there is none."""
        film = folder / "film.mp4"
        template = self._first if order.last is None else self._last
        line = template.fill(self._values(order, folder, film))
        reported = 0.0

        def report(fraction: float) -> None:  # each stage of a program counts from the start again
            nonlocal reported
            reported = max(reported, 0.02 + 0.83 * fraction)
            watch.report(reported)

        watch.report(0.02)
        ending = run_program(
            line, folder=folder, environment=self._environment(), seconds=float(option(self._options, "timeout")),
            check=watch.raise_if_stopping, report=report, progress=self._progress,
        )  # fmt: skip
        said = " | ".join(line for line in ending.lines)
        if ending.code != 0:
            how = f"with exit code {ending.code}" if ending.code > 0 else f"by signal {-ending.code}"
            if says_out_of_memory(said) or ending.code == _KILLED:
                raise OutOfMemory(f"The command ended {how}, probably for lack of memory. It said: {said or 'nothing'}")
            raise EngineFailed(f"The command ended {how}. It said: {said or 'nothing'}")
        if not film.is_file() or film.is_symlink() or not film.stat().st_size:
            raise EngineFailed(f"The command ended well, but left no film at {{output}}. It said: {said or 'nothing'}")
        watch.report(0.9)
        return film, ending

    def _values(self, order: Order, folder: Path, film: Path) -> dict[str, str | None]:
        """The value of each placeholder; pictures and prompt are written into files."""
        prompt = order.prompt.replace("\0", "").encode()[:MOST_PROMPT].decode(errors="ignore")
        (folder / "first.png").write_bytes(to_png(order.first))
        (folder / "prompt.txt").write_text(prompt, encoding="utf-8")
        if order.last is not None:
            (folder / "last.png").write_bytes(to_png(order.last))
        fps = self._options["fps"]
        return {
            "image": str(folder / "first.png"),
            "last_image": None if order.last is None else str(folder / "last.png"),
            "prompt": prompt,
            "prompt_file": str(folder / "prompt.txt"),
            "width": str(order.canvas.width),
            "height": str(order.canvas.height),
            "frames": str(fps * order.seconds + 1),
            "seconds": str(order.seconds),
            "fps": str(fps),
            "seed": str(order.seed),
            "output": str(film),
            "task": order.digest[:16],
        }

    def _environment(self) -> dict[str, str]:
        return pick_environment(os.environ, self._options["environment"])


class NullWatchOf(NullWatch):
    """A watch that stops when another does, and drops all reports."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self._watch = watch

    def raise_if_stopping(self) -> None:
        self._watch.raise_if_stopping()
