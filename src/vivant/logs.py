"""The log: events of Vivant and of its libraries as lines on stderr, since stdout is for the results of commands.

Logging neither blocks nor raises: lines go to a `BackgroundStream`, which drops and counts what cannot be written.
"""

from __future__ import annotations

import atexit
import logging
import sys
import threading
from collections.abc import Callable
from typing import Any, Final

import structlog
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict, ExcInfo

from vivant.background_stream import MAX_LINE, BackgroundStream
from vivant.printable import escape_unprintable

MAX_VALUE: Final = 2000  # characters of one value; a longer one is cut
MAX_DEPTH: Final = 8  # of lists and mappings in a value
FINISH_WITHIN: Final = 2.0  # seconds at exit for lines that wait: a reader that stands still must not hold the exit

Processor = Callable[[Any, str, EventDict], Any]


def replace_standard_streams(*, also_stdout: bool = False) -> None:
    """Put a `BackgroundStream` in the place of `sys.stderr`: nothing that prints there blocks or raises from now on.

    `also_stdout`: for a service, which must outlive the reader of its stdout. The results of a command stay on the
    usual stream, which waits for a slow reader and tells when they cannot be written.
    """
    for name, descriptor in (("stderr", 2), *((("stdout", 1),) if also_stdout else ())):
        if not isinstance(getattr(sys, name), BackgroundStream):
            stream = BackgroundStream(descriptor)
            setattr(sys, name, stream)
            atexit.register(stream.finish, FINISH_WITHIN)


def configure_logs(log_format: str = "console", level: int = logging.INFO) -> None:
    """Log events of Vivant from `level` on, and warnings of libraries, as text or JSON lines (`settings.LOG_FORMATS`).

    Replaces `sys.stderr`.
    """
    replace_standard_streams()
    stream = sys.stderr
    assert isinstance(stream, BackgroundStream)
    render = _Renderer(log_format, colors=stream.isatty())
    stream.describe_loss = lambda lines: render.render(
        {"event": "log lines were lost, because they could not be written", "lines": lines}, "warning"
    )
    structlog.configure(
        processors=[render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: _StreamLogger(stream),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, handlers=[_Handler(stream, render)], force=True)
    logging.captureWarnings(True)
    sys.unraisablehook = lambda found: _log_uncaught(found.exc_value, str(found.err_msg or "an error in a destructor"))
    threading.excepthook = lambda found: _log_uncaught(found.exc_value, "an error ended a thread")


class _Renderer:
    """The last structlog processor, and what the handler of `logging` uses. Never raises."""

    def __init__(self, log_format: str, *, colors: bool) -> None:
        self._steps: list[Processor] = [
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ]
        if log_format == "json":
            # Without local variables: they hold prompts and keys.
            tracebacks = ExceptionDictTransformer(show_locals=False)
            self._steps += [
                structlog.processors.ExceptionRenderer(tracebacks),
                _make_printable,
                structlog.processors.JSONRenderer(),
            ]
        else:
            self._steps += [
                structlog.processors.ExceptionRenderer(_describe_exception),
                _make_printable,
                structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=structlog.dev.plain_traceback),
            ]

    def __call__(self, logger: Any, method: str, event: EventDict) -> str:
        return self.render(event, method)

    def render(self, event: EventDict, level: str) -> str:
        """The line, or a line that says which event could not be rendered."""
        try:
            line = self._run(event, level)
            if len(line) <= MAX_LINE:
                return line
            reason = f"it has {len(line)} characters"
        except Exception as error:  # noqa: BLE001 - values of an event may be anything, and no log line is worth a task
            reason = f"{type(error).__name__} while it was rendered"
        return self._run({"event": str(event.get("event"))[:MAX_VALUE], "not_shown": reason}, level)

    def _run(self, event: EventDict, level: str) -> str:
        found: Any = dict(event)
        for step in self._steps:
            found = step(None, level, found)
        return str(found)


class _StreamLogger:
    """What structlog calls with a rendered line, by the name of the level."""

    def __init__(self, stream: BackgroundStream) -> None:
        self.debug = self.info = self.warning = self.error = self.critical = self.exception = stream.put


class _Handler(logging.Handler):
    """Events of libraries that use `logging`: uvicorn, asyncio, aiohttp."""

    def __init__(self, stream: BackgroundStream, renderer: _Renderer) -> None:
        super().__init__()
        self._stream, self._renderer = stream, renderer

    def emit(self, record: logging.LogRecord) -> None:
        try:
            message = record.getMessage()
        except Exception as error:  # noqa: BLE001 - wrong arguments of a library's log call
            message = f"{record.msg!s} ({type(error).__name__} while it was rendered)"
        event: EventDict = {"event": message, "logger": record.name}
        if record.exc_info:
            event["exc_info"] = record.exc_info
        self._stream.put(self._renderer.render(event, record.levelname.lower()))


def _log_uncaught(error: BaseException | None, where: str) -> None:
    structlog.get_logger().error(where, exc_info=error)


def _describe_exception(exc_info: ExcInfo) -> str:
    """The traceback. Each line is indented, so that none that a message brings along looks like a log line."""
    lines = structlog.processors.format_exc_info(None, "", {"exc_info": exc_info})["exception"].splitlines()
    kept = lines if len(lines) <= 100 else [*lines[:50], "…", *lines[-50:]]
    return "\n".join("    " + line[:MAX_VALUE] for line in kept)


def _make_printable(_: Any, __: str, event: EventDict) -> EventDict:
    """Every value without control characters and with an end. The traceback keeps its line breaks."""
    return {
        escape_unprintable(str(key)): escape_unprintable(value, keep="\n")
        if key == "exception" and isinstance(value, str)
        else _bound(value, MAX_DEPTH)
        for key, value in event.items()
    }


def _bound(value: Any, depth: int) -> Any:
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return escape_unprintable(value if len(value) <= MAX_VALUE else value[:MAX_VALUE] + "…")
        case dict() if depth:
            return {_bound(str(key), 0): _bound(item, depth - 1) for key, item in value.items()}
        case list() | tuple() | set() | frozenset() if depth:
            return [_bound(item, depth - 1) for item in value]
        case _:
            return _bound(repr(value), 0)
