"""Settings, read once at the edge and passed down. Flag > environment (VIVANT_*) > TOML file > default.

Every value is checked before anything starts, and a name that is no setting is refused: a misspelt one would otherwise
be ignored. Every field is described in docs/settings.md; a test fails when one is missing there.
"""

from __future__ import annotations

import difflib
import math
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from platformdirs import user_data_path

from vivant.errors import Misconfigured

if TYPE_CHECKING:
    from vivant.record.limits import Limits

PREFIX: Final = "VIVANT_"
CONFIG: Final = "VIVANT_CONFIG"  # names the TOML file; only read from the environment
LOG_FORMATS: Final = ("console", "json")
STORES: Final = ("file", "s3", "s3a", "gs", "az", "azure", "abfs", "abfss", "adl", "http", "https")  # obstore's schemes

# NAME=value with our prefix that is not meant for us: what the test suite reads, and what Kubernetes and Docker put
# into the environment for every service whose name begins with "vivant" (VIVANT_SERVICE_HOST, VIVANT_PORT_8000_TCP).
_FOREIGN: Final = re.compile(
    r"VIVANT_TEST_\w+=.*"
    r"|VIVANT(_\w+)?_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?)=.*"
    r"|VIVANT(_\w+)?_PORT=(tcp|udp|sctp)://.*",  # VIVANT_PORT=8000 is a mistake of the user
    re.DOTALL,
)
_PUBLIC_URL: Final = re.compile(
    r"https?://(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?(?:/[^\s?#]*)?"
)

Network = IPv4Network | IPv6Network
Parser = Callable[[Any], Any]  # the value as given (text, or what TOML makes of it) -> the value of the setting


def _parse_text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be text")
    return value.strip()


def _parse_whole_number(low: int, high: int) -> Parser:
    def parse(value: Any) -> int:
        if isinstance(value, str) and re.fullmatch(r"\s*[+-]?[0-9]{1,18}\s*", value):
            value = int(value)
        if type(value) is not int or not low <= value <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return value

    return parse


def _parse_days(value: Any) -> float:
    try:
        days = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        days = math.nan
    if not 0 <= days <= 36_500:
        raise ValueError("must be a number of days from 0 to 36500")
    return days


def _parse_bearer(value: Any) -> str:
    text = _parse_text(value)
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise ValueError("must be printable ASCII without blanks, to fit into a header")
    return text


def _parse_planner_url(value: Any) -> str:
    url = _parse_text(value)
    parts = urlsplit(url)
    try:
        right = not url or (parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0)
    except ValueError:  # a port that is none
        right = False
    if not right or parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("must be the address of an OpenAI-compatible endpoint, such as http://localhost:8080/v1")
    return url


def _parse_file(value: Any) -> str:
    text = _parse_text(str(value) if isinstance(value, Path) else value)
    if not text:
        return ""
    try:
        path = Path(text).expanduser().resolve()
        is_file = path.is_file()
    except (RuntimeError, OSError, ValueError):  # no home folder, links in a circle, a null byte
        is_file = False
    if not is_file:
        raise ValueError("must be the path of a file that can be read")
    return str(path)


def _parse_seconds(value: Any) -> float:
    try:
        seconds = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        seconds = math.nan
    if not 1 <= seconds <= 90:
        raise ValueError("must be a number of seconds from 1 to 90")
    return seconds


def _parse_choice(*allowed: str) -> Parser:
    def parse(value: Any) -> str:
        if value not in allowed:
            raise ValueError(f"must be {' or '.join(allowed)}")
        return str(value)

    return parse


def _parse_folder(value: Any) -> Path:
    """An absolute path. A folder that is not there yet is made when it is needed."""
    if not isinstance(value, str | Path) or not str(value).strip() or "\0" in str(value):
        raise ValueError("must be the path of a folder")
    try:
        folder = Path(value).expanduser().resolve()
    except (RuntimeError, OSError) as error:  # no home folder, links in a circle, or a folder that may not be read
        raise ValueError(f"must be the path of a folder ({error})") from None
    _check_no_file(folder)
    return folder


def _check_no_file(folder: Path) -> None:
    try:
        nearest = next(path for path in (folder, *folder.parents) if path.exists())
    except OSError as error:
        raise ValueError(f"must be the path of a folder ({error.strerror})") from None
    if not nearest.is_dir():
        raise ValueError(f"must be the path of a folder, and {nearest} is a file")


def _parse_database_url(value: Any) -> str:
    url = _parse_text(value)
    if url:
        from vivant.record.database import sqlite_path  # loads SQLAlchemy: only for those who set this

        path = sqlite_path(url).absolute()
        _check_no_file(path.parent)
        if path.is_dir():
            raise ValueError(f"must name an SQLite file, and {path} is a folder")
    return url


def _parse_storage_url(value: Any) -> str:
    url = _parse_text(value)
    if url:
        scheme, found, rest = url.partition("://")
        if not found or not rest or scheme not in STORES:
            raise ValueError("must be the URL of a folder or an object store, like file:///srv/vivant/files")
        if scheme == "file":
            if not rest.startswith("/"):
                raise ValueError("must have three slashes and a whole path, like file:///srv/vivant/files")
            _check_no_file(Path(rest))
    return url


def _parse_public_url(value: Any) -> str:
    url = _parse_text(value)
    if url:
        from vivant.intake.addresses import is_host

        parts = _PUBLIC_URL.fullmatch(url)
        if parts is None or not is_host(parts["host"]) or not 0 < int(parts["port"] or 80) < 65_536:
            raise ValueError("must be an address such as https://video.example.com, with or without a path")
    return url


def _parse_egress_allow(value: Any) -> str:
    entries = _parse_text(value)
    if entries:
        from vivant.intake.egress import AllowList  # loads asyncio and TLS: only for those who set this

        AllowList.parse(_split_entries(entries))
    return entries


def _parse_trusted_proxies(value: Any) -> str:
    for entry in _split_entries(_parse_text(value)):
        try:
            ip_network(entry, strict=False)
        except ValueError:
            raise ValueError(
                "must be addresses and networks such as 10.0.0.5 or 10.0.0.0/8, separated by commas"
            ) from None
    return _parse_text(value)


def _parse_engine(value: Any) -> str:
    from vivant.engines.registry import check_engine  # no engine's module is loaded before a command runs

    check_engine(_parse_text(value))
    return _parse_text(value)


def _split_entries(entries: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in entries.split(",") if part.strip())


def _default_data() -> Path:
    return user_data_path("vivant", appauthor=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One value per setting. `load_settings` reads them; tests build them directly. Raises Misconfigured."""

    data: Path = field(default_factory=_default_data)  # the folder that holds everything a service keeps
    database_url: str = ""  # an SQLite file; empty: in the data folder
    storage_url: str = ""  # where files live; empty: a folder in the data folder
    engine: str = "diorama"  # which engine makes clips
    workers: int = 1  # how many clips are made at once
    public_url: str = ""  # the address callers use, for links in answers; empty: the address of the request
    trusted_proxies: str = ""  # addresses and networks of proxies whose word on callers is taken, separated by commas
    egress_allow: str = ""  # hosts and networks that may be fetched from although not public, separated by commas
    link_seconds: int = 86_400  # how long a video link is valid
    retention_days: float = 7.0  # how long files of ended tasks are kept; 0: for ever
    queue_per_key: int = 1000  # tasks of one key that may wait; 0: any number
    queue_total: int = 10_000  # tasks that may wait in all; 0: any number
    stored_gb_per_key: int = 100  # 10⁹ bytes that the files of one key's tasks may take; 0: any number
    stored_gb_total: int = 0  # 10⁹ bytes that all files may take; 0: what the store has room for
    planner_url: str = ""  # an OpenAI-compatible endpoint that reads prompts for the embedded engine; empty: none
    planner_model: str = ""  # the model it is asked for
    planner_api_key: str = field(default="", repr=False)  # sent to it as a bearer token
    planner_seconds: float = 20.0  # how long it may take for one prompt
    depth_model: str = ""  # an ONNX file that measures depth for the embedded engine; empty: depth is guessed
    log_format: str = "console"  # how log lines look: one of LOG_FORMATS

    def __post_init__(self) -> None:
        given = {name: getattr(self, name) for name in _PARSERS}
        for name, value in _parse_all(given, {}).items():
            object.__setattr__(self, name, value)

    @property
    def database(self) -> str:
        """The SQLAlchemy URL of the record."""
        return self.database_url or f"sqlite:///{self.data / 'vivant.db'}"

    @property
    def storage(self) -> str:
        """The obstore URL of the files."""
        return self.storage_url or f"file://{self.data / 'files'}"

    @property
    def engine_options(self) -> dict[str, str]:
        """What the engine is told of these settings."""
        options = {"depth_model": self.depth_model} if self.depth_model else {}
        if self.planner_url:
            options |= {
                "planner_url": self.planner_url,
                "planner_model": self.planner_model,
                "planner_api_key": self.planner_api_key,
                "planner_seconds": str(self.planner_seconds),
            }
        return options

    @property
    def limits(self) -> Limits:
        """What keys may queue and store."""
        from vivant.record.limits import GB, Limits  # loads SQLAlchemy: only for a service

        return Limits(
            queued_per_key=self.queue_per_key,
            queued_total=self.queue_total,
            stored_per_key=self.stored_gb_per_key * GB,
            stored_total=self.stored_gb_total * GB,
        )

    @property
    def trusted_networks(self) -> tuple[Network, ...]:
        """Entries of `trusted_proxies`."""
        return tuple(ip_network(entry, strict=False) for entry in _split_entries(self.trusted_proxies))

    @property
    def egress_allowed(self) -> tuple[str, ...]:
        """Entries of `egress_allow`: host names, addresses or CIDR networks, separated by commas."""
        return _split_entries(self.egress_allow)


_PARSERS: Final[dict[str, Parser]] = {
    "data": _parse_folder,
    "database_url": _parse_database_url,
    "storage_url": _parse_storage_url,
    "engine": _parse_engine,
    "workers": _parse_whole_number(1, 64),
    "public_url": _parse_public_url,
    "trusted_proxies": _parse_trusted_proxies,
    "egress_allow": _parse_egress_allow,
    "link_seconds": _parse_whole_number(60, 604_800),
    "retention_days": _parse_days,
    "queue_per_key": _parse_whole_number(0, 10**9),
    "queue_total": _parse_whole_number(0, 10**9),
    "stored_gb_per_key": _parse_whole_number(0, 10**9),
    "stored_gb_total": _parse_whole_number(0, 10**9),
    "planner_url": _parse_planner_url,
    "planner_model": _parse_text,
    "planner_api_key": _parse_bearer,
    "planner_seconds": _parse_seconds,
    "depth_model": _parse_file,
    "log_format": _parse_choice(*LOG_FORMATS),
}


_SECRETS: Final = frozenset({"planner_api_key"})  # never repeated in a message


def load_settings(environment: Mapping[str, str] | None = None, **flags: Any) -> Settings:
    """Settings out of the environment (os.environ if not given) and the file it names, with these flags on top.

    A flag that is None and a variable that is empty count as not given. Raises Misconfigured, naming every unknown
    name, or else every wrong value.
    """
    variables = os.environ if environment is None else environment
    in_file = {name: name for name in _PARSERS}
    in_environment = {name: PREFIX + name.upper() for name in (*_PARSERS, "config")}
    given: dict[str, Any] = {}
    sources: dict[str, str] = {}  # setting -> where its value was given, as an error names it
    unknown: list[str] = []
    file = variables.get(CONFIG)
    if file:
        for key, value in _read_toml(Path(file)).items():
            if key in _PARSERS:
                given[key], sources[key] = value, f"{key} in {file}"
            else:
                unknown.append(_describe_unknown(f"{key} in {file}", key, in_file))
    for variable, text in variables.items():
        if not variable.upper().startswith(PREFIX) or variable == CONFIG:
            continue
        name = variable[len(PREFIX) :].lower()
        if variable == in_environment.get(name):
            if text.strip():
                given[name], sources[name] = text, variable
        elif not _FOREIGN.fullmatch(f"{variable}={text}"):
            unknown.append(_describe_unknown(variable, name, in_environment))
    for name, value in flags.items():
        if value is not None:
            given[name], sources[name] = value, f"--{name.replace('_', '-')}"
    if unknown:
        raise Misconfigured(" ".join(unknown) + " See docs/settings.md.")
    return Settings(**_parse_all(given, sources))


def _parse_all(given: Mapping[str, Any], sources: Mapping[str, str]) -> dict[str, Any]:
    """The checked values by setting. sources: where each was given. Raises Misconfigured, naming all that are wrong."""
    right: dict[str, Any] = {}
    wrong: list[str] = []
    for name, value in given.items():
        try:
            right[name] = _PARSERS[name](value)
        except ValueError as error:
            shown = "a secret" if name in _SECRETS else str(value) if isinstance(value, Path) else value
            wrong.append(f"{sources.get(name, name)} {error}; it is {shown!r}.")
        except Misconfigured as error:
            wrong.append(str(error))
    if wrong:
        raise Misconfigured(" ".join(wrong))
    return right


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise Misconfigured(f"{CONFIG} names {path}, which cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{CONFIG} names {path}, which is not TOML: {error}.") from None


def _describe_unknown(where: str, name: str, known: Mapping[str, str]) -> str:
    """A sentence that offers the nearest known name. known: setting -> how it is written in the file or environment."""
    near = difflib.get_close_matches(name, known, n=1)
    offer = f"did you mean {known[near[0]]}?" if near else f"the settings are {', '.join(known.values())}."
    return f"{where} is not a setting; {offer}"
