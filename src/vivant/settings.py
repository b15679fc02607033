"""Settings, read once at the edge and passed down. Flag > environment (VIVANT_*) > TOML file > default.

Every field is described in docs/settings.md; a test fails when one is missing there.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from platformdirs import user_data_path
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from vivant.errors import Misconfigured


def _default_data() -> Path:
    return user_data_path("vivant", appauthor=False)


class Settings(BaseSettings):
    """One value per knob. Build it with `load_settings`; tests may build it directly."""

    model_config = SettingsConfigDict(env_prefix="VIVANT_", extra="ignore", frozen=True)

    data: Path = Field(default_factory=_default_data, description="Folder that holds everything a service keeps.")
    database_url: str = Field(default="", description="Where the record lives; empty: SQLite under the data folder.")
    storage_url: str = Field(default="", description="Where files live; empty: a folder under the data folder.")
    engine: str = Field(default="diorama", description="Which engine makes clips.")
    workers: int = Field(default=1, ge=1, le=64, description="How many clips are made at once.")
    public_url: str = Field(default="", description="Address callers use, for links in answers.")
    egress_allow: str = Field(default="", description="Hosts and networks that may be dialled although not public.")
    link_seconds: int = Field(default=86_400, ge=60, le=604_800, description="How long a video link stays good.")
    retention_days: float = Field(default=7.0, ge=0, description="Days that files of ended tasks stay; 0: for ever.")
    log_format: str = Field(default="console", pattern="^(console|json)$", description="How log lines look.")

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource, dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:  # fmt: skip
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=_toml_file()))

    @property
    def database(self) -> str:
        """The SQLAlchemy URL of the record."""
        return self.database_url or f"sqlite:///{self.data / 'vivant.db'}"

    @property
    def storage(self) -> str:
        """The obstore URL of the files."""
        return self.storage_url or f"file://{self.data / 'files'}"

    @property
    def egress_allowed(self) -> tuple[str, ...]:
        """Entries of `egress_allow`: host names, addresses or CIDR networks, separated by commas."""
        return tuple(part.strip() for part in self.egress_allow.split(",") if part.strip())


def _toml_file() -> Path | None:
    named = os.environ.get("VIVANT_CONFIG")
    if named:
        path = Path(named)
        if not path.is_file():
            raise Misconfigured(f"VIVANT_CONFIG names {path}, which is not a file.")
        return path
    return None


def load_settings(**flags: Any) -> Settings:
    """Settings with these flags on top (None: not given). Raises Misconfigured, naming each wrong value."""
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        settings = Settings(**given)
    except ValidationError as error:
        wrong = "; ".join(f"VIVANT_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors())
        raise Misconfigured(f"Settings: {wrong}. See docs/settings.md.") from None
    return settings.model_copy(update={"data": settings.data.expanduser().resolve()})
