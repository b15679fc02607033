"""The table of known models, and the receipts beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from vivant.engines.diffusers.model_folder import Family
from vivant.engines.diffusers.weights import (
    RECEIPT,
    KnownModel,
    Receipt,
    default_models_folder,
    known_models,
    locate,
    read_receipt,
    write_receipt,
)
from vivant.errors import Misconfigured


@pytest.mark.parametrize("model", known_models().values(), ids=lambda model: model.name)
def test_every_model_has_a_licence_and_a_source_for_each_figure(model: KnownModel) -> None:
    assert model.licence_url.startswith("https://") and model.licence_says
    for figure, source in (
        (model.download_bytes, model.download_source),
        (model.transformers_bytes, model.transformers_source),
        (model.others_bytes, model.others_source),
        (model.resident_gib, model.resident_source),
        (model.least_card_gib, model.least_source),
    ):
        assert bool(figure) == bool(source)
        assert not source or source.split(":")[0].split(",")[0] in ("counted", "listed", "makers", "users")


def test_every_family_has_a_model_and_restricted_licences_must_be_accepted() -> None:
    models = known_models()
    assert {model.family for model in models.values()} == set(Family)
    assert all(model.must_be_accepted == (model.licence != "Apache-2.0") for model in models.values())


def test_a_model_is_found_by_its_name_or_by_its_folder(tmp_path: Path) -> None:
    known = known_models()["ltx-2.3"]
    assert locate("ltx-2.3", str(tmp_path)) == (tmp_path / "ltx-2.3", known)
    assert locate("ltx-2.3", "") == (default_models_folder() / "ltx-2.3", known)
    assert locate(str(tmp_path / "mine"), "/elsewhere") == (tmp_path / "mine", None)


def test_a_receipt_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    receipt = Receipt(
        name="wan-2.2-5b", repo="Wan-AI/Wan2.2", revision="a" * 40, licence="Apache-2.0", accepted=False,
        files={"vae/model.safetensors": "b" * 64},
    )  # fmt: skip
    assert read_receipt(tmp_path) is None
    write_receipt(tmp_path, receipt)
    assert read_receipt(tmp_path) == receipt and [path.name for path in tmp_path.iterdir()] == [RECEIPT]


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"name": 1}', "null", "[" * 100_000])
def test_a_damaged_receipt_is_told_in_words(tmp_path: Path, text: str) -> None:
    (tmp_path / RECEIPT).write_text(text)
    with pytest.raises(Misconfigured, match="is damaged"):
        read_receipt(tmp_path)


@pytest.mark.parametrize("field", [{"repo": "no-owner"}, {"revision": "main"}, {"licence": ""}, {"others_bytes": -1}])
def test_a_model_that_cannot_be_cannot_be_built(field: dict[str, object]) -> None:
    from dataclasses import asdict

    with pytest.raises(ValueError, match=r"ltx-2.5"):
        KnownModel(**{**asdict(known_models()["ltx-2.5"]), **field})
