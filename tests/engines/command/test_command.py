"""Clips by real programs: good ones, and such as hang, fork, flood, lie or ignore that they are to end."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from support.doubles.programs import MAKE_FILM
from support.engine_runs import StoppableWatch, ask_for, make, set_up, stopped_when
from support.orders import make_order
from support.watches import RecordingWatch
from vivant.engines.base import NullWatch
from vivant.engines.command.card import SETTINGS
from vivant.engines.command.check import check
from vivant.engines.command.generator import CommandGenerator
from vivant.engines.command.process import pick_environment
from vivant.engines.registry import complete_options, make_card
from vivant.errors import EngineCannot, EngineFailed, Misconfigured, OutOfMemory, Stopped
from vivant.media import fit, to_planes

ARGUMENTS: Final = ["{image}", "{prompt}", "{output}"]


def script(folder: Path, text: str) -> list[str]:
    """A command that runs this Python: sys.argv has image, prompt and output."""
    path = folder / "program.py"
    path.write_text(textwrap.dedent(text))
    return [sys.executable, str(path), *ARGUMENTS]


def generator(run: list[str], **more: Any) -> CommandGenerator:
    made = CommandGenerator(complete_options("command", {"run": run, **more}))
    made.setup()
    return made


def fail(folder: Path, text: str, *, watch: RecordingWatch | None = None, **more: Any) -> EngineFailed:
    """How a program's clip fails."""
    with pytest.raises(EngineFailed) as caught:
        generator(script(folder, text), **more).generate(make_order(), watch or RecordingWatch())
    return caught.value


def alive(pid: int) -> bool:
    """Whether there is such a process, and it is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for_pid(path: Path) -> int:
    until = time.monotonic() + 10
    while not (path.exists() and path.read_text().strip()):
        assert time.monotonic() < until, "the program did not begin"
        time.sleep(0.02)
    return int(path.read_text())


# -- clips ------------------------------------------------------------------------------------------------------------


def test_a_program_makes_a_clip_with_sound_and_its_time_is_told() -> None:
    made = make(set_up("command", {"run": MAKE_FILM, "model": "films of mine"}))
    assert len(made.frames) == 97
    assert made.sound is not None and np.abs(made.sound).max() > 0.1
    assert made.report["sound"] == "of the model" and made.report["model"] == "films of mine"
    assert made.report["program_seconds"] > 0


def test_a_clip_ends_on_the_last_picture_by_a_group_or_by_a_second_command() -> None:
    _, pictures = ask_for(last=True)
    assert pictures.last is not None
    wanted = to_planes(fit(pictures.last, 864, 496)).y
    without = [part for part in MAKE_FILM if part not in ("[--end", "{last_image}]")]
    for options in ({"run": MAKE_FILM}, {"run": without, "run_last": MAKE_FILM}):
        made = make(set_up("command", options), last=True, generate_audio=False)
        assert np.array_equal(made.frames[-1].y, wanted)
        assert np.median(np.abs(made.frames[-20].y.astype(int) - wanted)) < 6, "the program did not get it"
    with pytest.raises(EngineCannot, match="VIVANT_COMMAND_RUN_LAST"):
        make_card("command", {"run": without}).refuse(ask_for(last=True)[0])


def test_another_rate_and_no_sound_are_adapted() -> None:
    options = {"run": [*MAKE_FILM, "--silent"], "fps": 16, "sound": "none", "sound_if_missing": "silence"}
    made = make(set_up("command", options))
    assert len(made.frames) == 97
    assert made.report["sound"] == "silence"


def test_progress_is_read_from_what_the_program_prints() -> None:
    watch = RecordingWatch()
    footage = generator([*MAKE_FILM, "--step-seconds", "0.05"]).generate(make_order(), watch)
    footage.frames.close()  # type: ignore[attr-defined]
    assert watch.fractions == sorted(watch.fractions) and watch.fractions[-1] == 0.9
    assert len({f for f in watch.fractions if 0.1 < f < 0.8}) >= 4


def test_nothing_is_left_in_the_folder_of_temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for _ in generator(MAKE_FILM).generate(make_order(last=True), RecordingWatch()).frames:
        assert list(tmp_path.iterdir())
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(EngineFailed):
        generator(["false", *ARGUMENTS]).generate(make_order(), RecordingWatch())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("prompt", ["-o /etc/x", "$(touch /tmp/x); `y`", "", "山\nzwei", "a\0b", "é" * 200_000])
def test_whatever_the_prompt_holds_it_is_one_argument(prompt: str, tmp_path: Path) -> None:
    text = """
        import json, pathlib, sys
        pathlib.Path(sys.argv[0]).with_name("seen.json").write_text(json.dumps(sys.argv[1:]))
        sys.exit("no film")
    """
    with pytest.raises(EngineFailed, match="no film"):
        generator(script(tmp_path, text)).generate(make_order(prompt=prompt), RecordingWatch())
    seen = json.loads((tmp_path / "seen.json").read_text())
    assert len(seen) == 3
    assert seen[1].strip() == prompt.replace("\0", "").encode()[:100_000].decode(errors="ignore").strip()


# -- settings ---------------------------------------------------------------------------------------------------------


def test_cards_name_the_setting() -> None:
    with pytest.raises(Misconfigured, match="VIVANT_COMMAND_RUN"):
        make_card("command")
    with pytest.raises(Misconfigured, match="VIVANT_COMMAND_RUN_LAST"):
        make_card("command", {"run": ["p", "{image}", "{last_image}", "{prompt}", "{output}"]})


def test_a_program_that_is_not_there_is_told_at_set_up_and_by_the_check() -> None:
    run = ["no-such-program-here", *ARGUMENTS]
    with pytest.raises(Misconfigured, match="no-such-program-here"):
        set_up("command", {"run": run})
    assert [passed for passed, *_ in check(complete_options("command", {"run": run}))] == [False]
    assert all(passed for passed, *_ in check(complete_options("command", {"run": MAKE_FILM})))


def test_a_program_that_went_away_after_set_up_fails_in_words(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    made = generator([str(program), *ARGUMENTS])
    program.unlink()
    with pytest.raises(EngineFailed, match="No such file"):
        made.generate(make_order(), RecordingWatch())


def test_a_probe_is_a_real_small_run(tmp_path: Path) -> None:
    set_up("command", {"run": MAKE_FILM}).probe(NullWatch())
    engine = set_up("command", {"run": script(tmp_path, "raise SystemExit('the weights are missing')")})
    with pytest.raises(EngineFailed, match="the weights are missing"):
        engine.probe(NullWatch())


def test_a_program_sees_none_of_our_settings_and_keys() -> None:
    ours = {
        "PATH": "/bin", "HOME": "/h", "CUDA_VISIBLE_DEVICES": "1", "LC_ALL": "C", "VIVANT_ARK_KEY": "s",
        "HF_TOKEN": "s", "LD_LIBRARY_PATH": "/v/site-packages/cv2:/opt/cuda",
        "AWS_SECRET_ACCESS_KEY": "s", "CUDA_API_KEY": "s", "OPENAI_API_KEY": "s",
        "PYTHONPATH": "/x", "HF_HOME": "/m",
    }  # fmt: skip
    assert pick_environment(ours, {"MORE": "1"}) == {
        "PATH": "/bin", "HOME": "/h", "CUDA_VISIBLE_DEVICES": "1", "LC_ALL": "C", "HF_HOME": "/m", "MORE": "1",
        "LD_LIBRARY_PATH": "/opt/cuda",
    }  # fmt: skip


def test_a_program_really_gets_only_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIVANT_ARK_KEY", "a-secret-of-ours")
    text = "import os; print('\\n'.join(sorted(os.environ, reverse=True)[:15])); raise SystemExit(1)"
    said = str(fail(tmp_path, text, environment={"XYZ_MINE": "yes"}))
    assert "XYZ_MINE" in said and "PATH" in said and "VIVANT" not in said


# -- programs that fail -----------------------------------------------------------------------------------------------


def test_an_exit_code_ends_the_clip_with_the_last_20_lines_of_standard_error(tmp_path: Path) -> None:
    text = """
        import sys
        for n in range(100): print("line", n, "of the error", file=sys.stderr)
        print("not this")
        sys.exit(7)
    """
    said = str(fail(tmp_path, text))
    assert "exit code 7" in said and "line 99" in said and "line 80" in said
    assert "line 79 " not in said and "not this" not in said


def test_standard_output_is_told_when_standard_error_was_silent(tmp_path: Path) -> None:
    assert "only here" in str(fail(tmp_path, "print('only here'); raise SystemExit(1)"))


@pytest.mark.parametrize(
    "text",
    ["import sys; sys.exit('RuntimeError: CUDA out of memory.')", "import os; os.kill(os.getpid(), 9)"],
    ids=["said", "killed by the system"],
)
def test_a_lack_of_memory_ends_the_task_with_that_reason(text: str, tmp_path: Path) -> None:
    assert isinstance(fail(tmp_path, text), OutOfMemory)


def test_a_crash_is_told_by_its_signal(tmp_path: Path) -> None:
    assert "by signal 11" in str(fail(tmp_path, "import os; os.kill(os.getpid(), 11)"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("pass", "left no film"),
        ("import sys; open(sys.argv[3], 'w').close()", "left no film"),
        ("import os, sys; os.symlink('/etc/passwd', sys.argv[3])", "left no film"),
        ("import os, sys; os.mkdir(sys.argv[3])", "left no film"),
        ("import sys; open(sys.argv[3], 'w').write('garbage' * 999)", "no film that is read"),
    ],
    ids=["nothing", "empty", "a link", "a folder", "garbage"],
)
def test_a_program_that_ends_well_without_a_film_fails_in_words(text: str, words: str, tmp_path: Path) -> None:
    assert words in str(fail(tmp_path, text))


def test_a_flood_of_output_holds_nothing_up_and_is_not_kept(tmp_path: Path) -> None:
    text = """
        import sys
        for _ in range(300): sys.stderr.write("x" * 100_000)      # one line of 30 MB
        for n in range(200_000): sys.stderr.write(f"{n}\\r")
        sys.stdout.write("\\n" * 1_000_000)
        sys.exit("the end")
    """
    started = time.monotonic()
    said = str(fail(tmp_path, text))
    assert "the end" in said and len(said) < 12_000
    assert time.monotonic() - started < 20


def test_output_that_is_no_text_is_no_trouble(tmp_path: Path) -> None:
    text = "import os; os.write(2, bytes(range(256)) * 50); os.write(2, b'\\n\\xff 999999999999999/0 \\n'); os._exit(1)"
    assert str(fail(tmp_path, text)).isprintable()


def test_a_program_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    text = "import time; time.sleep(60)"
    made = CommandGenerator(complete_options("command", {"run": script(tmp_path, text)}) | {"timeout": 0.5})
    started = time.monotonic()
    with pytest.raises(EngineFailed, match=r"within 0\.5 s"):
        made.generate(make_order(), RecordingWatch())
    assert time.monotonic() - started < 3


# -- stopping ---------------------------------------------------------------------------------------------------------

BEGIN: Final = """
    import os, pathlib, signal, sys, time
    here = pathlib.Path(sys.argv[0])
    here.with_name("pid").write_text(str(os.getpid()))
"""


def stop(folder: Path, text: str) -> float:
    """Run the program, stop it as soon as its file `ready` is there, and return the seconds that took."""
    made = generator(script(folder, BEGIN + text))
    watch = StoppableWatch()
    begun: list[float] = []

    def ready() -> bool:
        if (folder / "ready").exists():
            begun.append(time.monotonic())
        return bool(begun)

    with stopped_when(ready, watch), pytest.raises(Stopped):
        made.generate(make_order(), watch)
    assert len(watch.stopped) == 1
    return time.monotonic() - begun[0]


def test_stopping_asks_the_program_to_end(tmp_path: Path) -> None:
    text = """
    signal.signal(signal.SIGTERM, lambda *_: (here.with_name("asked").write_text("yes"), os._exit(0)))
    here.with_name("ready").touch()
    time.sleep(60)
    """
    assert stop(tmp_path, text) < 1.8
    assert (tmp_path / "asked").read_text() == "yes"
    assert not alive(wait_for_pid(tmp_path / "pid"))


def test_a_program_that_ignores_that_is_killed_within_the_two_seconds(tmp_path: Path) -> None:
    text = """
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    here.with_name("ready").touch()
    time.sleep(60)
    """
    assert 0.9 < stop(tmp_path, text) < 2.0
    assert not alive(wait_for_pid(tmp_path / "pid"))


def test_its_children_end_with_it(tmp_path: Path) -> None:
    text = """
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        here.with_name("child").write_text(str(os.getpid()))
        here.with_name("ready").touch()
        time.sleep(60)
        os._exit(0)
    time.sleep(60)
    """
    stop(tmp_path, text)
    assert not alive(wait_for_pid(tmp_path / "child"))


def test_a_child_that_a_finished_program_leaves_behind_holds_nobody_and_is_ended(tmp_path: Path) -> None:
    text = """
    if os.fork() == 0:
        here.with_name("child").write_text(str(os.getpid()))
        time.sleep(60)
        os._exit(0)
    while not here.with_name("child").exists(): time.sleep(0.01)
    sys.exit("done without a film")
    """
    started = time.monotonic()
    assert "done without a film" in str(fail(tmp_path, BEGIN + text))
    assert time.monotonic() - started < 5
    child = wait_for_pid(tmp_path / "child")
    time.sleep(0.2)
    assert not alive(child)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_worker_that_is_killed_takes_the_program_with_it(number: signal.Signals, tmp_path: Path) -> None:
    line = script(tmp_path, BEGIN + "    time.sleep(60)")
    worker = f"""
import sys
sys.path[:0] = {sys.path!r}
from support.orders import make_order
from vivant.engines.base import NullWatch
from vivant.engines.command.generator import CommandGenerator
from vivant.engines.registry import complete_options
CommandGenerator(complete_options("command", {{"run": {line!r}}})).generate(make_order(), NullWatch())
"""
    process = subprocess.Popen([sys.executable, "-c", worker], start_new_session=True)
    try:
        program = wait_for_pid(tmp_path / "pid")
        assert alive(program)
        os.kill(process.pid, number)
        process.wait(10)
        until = time.monotonic() + 5
        while alive(program):
            assert time.monotonic() < until, "the program goes on for nobody"
            time.sleep(0.05)
    finally:
        process.kill()
        process.wait()


def test_the_engine_goes_on_after_a_stop(tmp_path: Path) -> None:
    stop(tmp_path, "    here.with_name('ready').touch(); time.sleep(60)")
    assert sum(1 for _ in generator(MAKE_FILM).generate(make_order(), RecordingWatch()).frames) == 97


def test_a_progress_pattern_needs_two_groups() -> None:
    parse = next(setting.parse for setting in SETTINGS if setting.name == "progress")
    assert re.compile(parse(r"step (\d+) of (\d+)")).groups == 2
    for wrong in ("", r"(\d+)%", "(", "x" * 300):
        with pytest.raises(ValueError, match="two groups"):
            parse(wrong)
