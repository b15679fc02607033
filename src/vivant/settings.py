"""Settings, read once at the edge and passed down. Flag > environment (VIVANT_*) > TOML file > default.

Every value is checked before anything starts, and a name that is no setting is refused: a misspelt one would otherwise
be ignored. Every field is described in docs/settings.md; a test fails when one is missing there.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from platformdirs import user_data_path

from vivant.errors import Misconfigured
from vivant.setting_kinds import (
    Parser,
    choice,
    folder,
    names,
    number,
    pairs,
    refuse_file,
    secret,
    text,
    url,
    whole_number,
)

if TYPE_CHECKING:
    from vivant.engines.card import EngineSetting
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


def _parse_planner_url(value: Any) -> str:
    given = text(value)
    if given and not _is_endpoint(given):
        raise ValueError("must be the address of an OpenAI-compatible endpoint, such as http://localhost:8080/v1")
    return given


def _is_endpoint(address: str) -> bool:
    try:
        return bool(url("")(address))
    except ValueError:
        return False


def _parse_database_url(value: Any) -> str:
    url = text(value)
    if url:
        from vivant.record.database import sqlite_path  # loads SQLAlchemy: only for those who set this

        path = sqlite_path(url).absolute()
        refuse_file(path.parent)
        if path.is_dir():
            raise ValueError(f"must name an SQLite file, and {path} is a folder")
    return url


def _parse_storage_url(value: Any) -> str:
    url = text(value)
    if url:
        scheme, found, rest = url.partition("://")
        if not found or not rest or scheme not in STORES:
            raise ValueError("must be the URL of a folder or an object store, like file:///srv/vivant/files")
        if scheme == "file":
            if not rest.startswith("/"):
                raise ValueError("must have three slashes and a whole path, like file:///srv/vivant/files")
            refuse_file(Path(rest))
    return url


def _parse_public_url(value: Any) -> str:
    url = text(value)
    if url:
        from vivant.addresses import is_host

        parts = _PUBLIC_URL.fullmatch(url)
        if parts is None or not is_host(parts["host"]) or not 0 < int(parts["port"] or 80) < 65_536:
            raise ValueError("must be an address such as https://video.example.com, with or without a path")
    return url


def _parse_egress_allow(value: Any) -> str:
    entries = text(value)
    if entries:
        from vivant.intake.egress import AllowList  # loads asyncio and TLS: only for those who set this

        AllowList.parse(_split_entries(entries))
    return entries


def _parse_trusted_proxies(value: Any) -> str:
    for entry in _split_entries(text(value)):
        try:
            ip_network(entry, strict=False)
        except ValueError:
            raise ValueError(
                "must be addresses and networks such as 10.0.0.5 or 10.0.0.0/8, separated by commas"
            ) from None
    return text(value)


def _parse_engines(value: Any) -> tuple[str, ...]:
    from vivant.engines.registry import check_engine  # no engine's module is loaded before a command runs

    given = names(list(value) if isinstance(value, tuple) else value)
    if not given or len(set(given)) != len(given):
        raise ValueError("must be one or more engines, each once")
    for name in given:
        check_engine(name)
    return tuple(given)


def _parse_names(value: Any) -> tuple[str, ...]:
    return tuple(names(list(value) if isinstance(value, tuple) else value))


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
    engines: tuple[str, ...] = ("diorama",)  # which engines make clips; the first is the one unless another is chosen
    models: Mapping[str, str] = field(default_factory=dict)  # names of models, the dialects' among them -> engines
    fallback: tuple[str, ...] = ()  # in this order an engine takes over from one that cannot; empty: none does
    fallback_after: float = 60.0  # seconds without a ready worker after which the next engine takes over
    workers: int = 1  # how many clips each engine makes at once
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
    log_format: str = "console"  # how log lines look: one of LOG_FORMATS
    engine_settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)  # engine -> its settings

    def __post_init__(self) -> None:
        given = {name: getattr(self, name) for name in _PARSERS}
        for engine, values in self.engine_settings.items():
            _parse_engines([engine])
            given |= {f"{engine}.{name}": value for name, value in values.items()}
        right = _parse_all(given, {})
        for name in _PARSERS:
            object.__setattr__(self, name, right.pop(name))
        object.__setattr__(self, "engine_settings", _by_engine(right))
        self._check_engines()

    def _check_engines(self) -> None:
        """Raise Misconfigured unless what models and fallback name is among the engines."""
        for setting, chosen in (("models", self.models.values()), ("fallback", self.fallback)):
            for engine in chosen:
                if engine not in self.engines:
                    raise Misconfigured(
                        f"VIVANT_{setting.upper()} names {engine!r}, which is not among VIVANT_ENGINES: "
                        f"{', '.join(self.engines)}."
                    )

    @property
    def database(self) -> str:
        """The SQLAlchemy URL of the record."""
        return self.database_url or f"sqlite:///{self.data / 'vivant.db'}"

    @property
    def storage(self) -> str:
        """The obstore URL of the files."""
        return self.storage_url or f"file://{self.data / 'files'}"

    def options_of(self, engine: str) -> dict[str, Any]:
        """What this engine is told: its own settings, with their defaults, and the planner."""
        from vivant.engines.registry import complete_options

        options = complete_options(engine, self.engine_settings.get(engine))
        if self.planner_url:
            options |= {
                "planner_url": self.planner_url,
                "planner_model": self.planner_model,
                "planner_api_key": self.planner_api_key,
                "planner_seconds": self.planner_seconds,
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
    "data": folder,
    "database_url": _parse_database_url,
    "storage_url": _parse_storage_url,
    "engines": _parse_engines,
    "models": pairs,
    "fallback": _parse_names,
    "fallback_after": number(1, 86_400, of="seconds"),
    "workers": whole_number(1, 64),
    "public_url": _parse_public_url,
    "trusted_proxies": _parse_trusted_proxies,
    "egress_allow": _parse_egress_allow,
    "link_seconds": whole_number(60, 604_800),
    "retention_days": number(0, 36_500, of="days"),
    "queue_per_key": whole_number(0, 10**9),
    "queue_total": whole_number(0, 10**9),
    "stored_gb_per_key": whole_number(0, 10**9),
    "stored_gb_total": whole_number(0, 10**9),
    "planner_url": _parse_planner_url,
    "planner_model": text,
    "planner_api_key": secret,
    "planner_seconds": number(1, 90, of="seconds"),
    "log_format": choice(*LOG_FORMATS),
}
_SECRETS: Final = frozenset({"planner_api_key"})  # never repeated in a message


def find_engine_settings() -> Iterator[tuple[str, EngineSetting]]:
    """(engine, setting) for every setting that an engine has of its own."""
    from vivant.engines.registry import ENGINES, settings_of

    for engine in ENGINES:
        for setting in settings_of(engine):
            yield engine, setting


def name_variable(engine: str, setting: str) -> str:
    """The environment variable of an engine's setting."""
    return f"{PREFIX}{engine}_{setting}".upper().replace("-", "_")


def load_settings(environment: Mapping[str, str] | None = None, **flags: Any) -> Settings:
    """Settings out of the environment (os.environ if not given) and the file it names, with these flags on top.

    A flag that is None and a variable that is empty count as not given. Raises Misconfigured, naming every unknown
    name, or else every wrong value.
    """
    variables = os.environ if environment is None else environment
    own = {
        f"{engine}.{setting.name}": name_variable(engine, setting.name) for engine, setting in find_engine_settings()
    }
    in_file = {name: name for name in (*_PARSERS, *own)}
    in_environment = {name: PREFIX + name.upper() for name in (*_PARSERS, "config")} | own
    given: dict[str, Any] = {}
    sources: dict[str, str] = {}  # setting -> where its value was given, as an error names it
    unknown: list[str] = []
    file = variables.get(CONFIG)
    if file:
        for key, value in _flatten(_read_toml(Path(file)), tables={name.partition(".")[0] for name in own}):
            if key in in_file:
                given[key], sources[key] = value, f"{key} in {file}"
            else:
                unknown.append(_describe_unknown(f"{key} in {file}", key, in_file))
    by_variable = {variable: name for name, variable in in_environment.items()}
    for variable, value in variables.items():
        if not variable.upper().startswith(PREFIX) or variable == CONFIG:
            continue
        name = by_variable.get(variable, "")
        if name:
            if value.strip():
                given[name], sources[name] = value, variable
        elif not _FOREIGN.fullmatch(f"{variable}={value}"):
            unknown.append(_describe_unknown(variable, variable[len(PREFIX) :].lower(), in_environment))
    for name, value in flags.items():
        if value is not None:
            given[name], sources[name] = value, f"--{name.replace('_', '-')}"
    if unknown:
        raise Misconfigured(" ".join(unknown) + " See docs/settings.md.")
    right = _parse_all(given, sources)
    core = {name: value for name, value in right.items() if name in _PARSERS}
    return Settings(**core, engine_settings=_by_engine({k: v for k, v in right.items() if k not in core}))


def _flatten(table: Mapping[str, Any], *, tables: set[str]) -> Iterator[tuple[str, Any]]:
    """(key, value) of a TOML file; keys inside an engine's table are named engine.key."""
    for key, value in table.items():
        if key in tables and isinstance(value, Mapping):
            yield from ((f"{key}.{inner}", inside) for inner, inside in value.items())
        else:
            yield key, value


def _by_engine(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """engine.setting -> value, as engine -> setting -> value."""
    found: dict[str, dict[str, Any]] = {}
    for name, value in values.items():
        engine, _, setting = name.partition(".")
        found.setdefault(engine, {})[setting] = value
    return found


def _parse_all(given: Mapping[str, Any], sources: Mapping[str, str]) -> dict[str, Any]:
    """The checked values by setting. sources: where each was given. Raises Misconfigured, naming all that are wrong."""
    parsers, secrets = _PARSERS, set(_SECRETS)
    if any("." in name for name in given):
        own = {f"{engine}.{setting.name}": setting for engine, setting in find_engine_settings()}
        parsers = _PARSERS | {name: setting.parse for name, setting in own.items()}
        secrets |= {name for name, setting in own.items() if setting.secret}
    right: dict[str, Any] = {}
    wrong: list[str] = []
    for name, value in given.items():
        if name not in parsers:
            wrong.append(f"{name} is not a setting.")
            continue
        try:
            right[name] = parsers[name](value)
        except ValueError as error:
            shown = "a secret" if name in secrets else str(value) if isinstance(value, Path) else value
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
