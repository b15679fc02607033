"""The models that we know (weights.toml), where they lie, and the receipt that a pull leaves beside them.

Light: `vivant models`, `vivant doctor` and the engine's card read it.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from platformdirs import user_data_path

from vivant.engines.diffusers.model_folder import Family
from vivant.errors import Misconfigured

RECEIPT: Final = "vivant-model.json"  # in a model's folder: what was fetched, and that its licence was accepted
MOST_RECEIPT_BYTES: Final = 2**22


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownModel:
    """One table of weights.toml; the file says what its fields mean. Raises ValueError for what cannot be."""

    name: str
    title: str
    repo: str  # owner/name on the hub
    revision: str  # a commit; empty: the first pull settles it
    licence: str
    licence_url: str
    licence_says: str  # in a line
    must_be_accepted: bool
    gated: bool
    family: Family
    recipe: str
    exclude: tuple[str, ...]
    download_bytes: int  # 0: not known here
    download_source: str
    transformers_bytes: int  # all of them, in bfloat16
    transformers_source: str
    others_bytes: int
    others_source: str
    resident_gib: int  # of a card that holds everything
    resident_source: str
    least_card_gib: int
    least_source: str

    def __post_init__(self) -> None:
        owner, slash, name = self.repo.partition("/")
        if not (owner and slash and name) or "/" in name:
            raise ValueError(f"{self.name}: a repository is owner/name, got {self.repo!r}.")
        if self.revision and not (len(self.revision) == 40 and set(self.revision) <= set("0123456789abcdef")):
            raise ValueError(f"{self.name}: a revision is a commit of 40 hexadecimal digits, got {self.revision!r}.")
        if min(self.download_bytes, self.transformers_bytes, self.others_bytes) < 0 or not self.licence:
            raise ValueError(f"{self.name}: sizes are not negative, and there is a licence.")

    @property
    def loaded_bytes(self) -> int:
        """All weights in bfloat16: what main memory and card hold together."""
        return self.transformers_bytes + self.others_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a pull fetched. files: path in the folder -> SHA-256 in hexadecimal. Raises ValueError for other types."""

    name: str
    repo: str
    revision: str
    licence: str
    accepted: bool
    files: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        given: Any = self  # whatever the annotations say
        texts = all(isinstance(getattr(given, name), str) for name in ("name", "repo", "revision", "licence"))
        if not texts or type(given.accepted) is not bool or not isinstance(given.files, Mapping):
            raise ValueError("A receipt has four texts, a truth value and a table of files.")


@cache
def known_models() -> Mapping[str, KnownModel]:
    """By name, in the order of the file."""
    tables = tomllib.loads(files(__package__).joinpath("weights.toml").read_text(encoding="utf-8"))
    return {
        name: KnownModel(
            **{**table, "name": name, "family": Family(table["family"]), "exclude": tuple(table["exclude"])}
        )
        for name, table in tables.items()
    }


def default_models_folder() -> Path:
    """Where models lie unless a setting says otherwise."""
    return user_data_path("vivant", appauthor=False) / "models"


def locate(model: str, models: str) -> tuple[Path, KnownModel | None]:
    """The folder of a model: of a known one by its name in the folder `models` (empty: the default), else `model` is
    the folder itself. Nothing is looked at."""
    known = known_models().get(model)
    if known is not None:
        return (Path(models) if models else default_models_folder()) / model, known
    return Path(model).expanduser().absolute(), None


def read_receipt(folder: Path) -> Receipt | None:
    """None where a model was not pulled but put. Raises Misconfigured for a receipt that is none."""
    path = folder / RECEIPT
    try:
        with path.open("rb") as file:
            data = json.loads(file.read(MOST_RECEIPT_BYTES))
        names = {entry.name for entry in fields(Receipt)}
        return Receipt(**{name: value for name, value in data.items() if name in names})
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Misconfigured(f"{path} cannot be read: {error.strerror}.") from None
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise Misconfigured(f"{path} is damaged. `vivant models pull` writes it again.") from None


def write_receipt(folder: Path, receipt: Receipt) -> None:
    """Whole or not at all. Raises OSError."""
    part = folder / f".{RECEIPT}.part"
    part.write_text(json.dumps(asdict(receipt), indent=1, sort_keys=True), encoding="utf-8")
    part.replace(folder / RECEIPT)
