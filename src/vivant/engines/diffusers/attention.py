"""How attention is computed: a backend of diffusers by its name, checked before anything is loaded.

Those that end in `_hub` download a kernel, which is a program, when they are chosen: they are refused.
"""

from __future__ import annotations

from typing import Any

from vivant.errors import Misconfigured


def check_attention(name: str) -> None:
    """Raise Misconfigured for a backend that there is not, that would be downloaded, or whose package is missing."""
    from diffusers.models.attention_dispatch import AttentionBackendName, _check_attention_backend_requirements

    known = sorted(backend.value for backend in AttentionBackendName if not backend.value.endswith("_hub"))
    if name.endswith("_hub"):
        raise Misconfigured(
            f"VIVANT_DIFFUSERS_ATTENTION: {name} downloads its program at run time, and nothing is downloaded here. "
            f"Install a package and choose one of: {', '.join(known)}."
        )
    if name not in known:
        raise Misconfigured(f"VIVANT_DIFFUSERS_ATTENTION: there is no {name!r}; there are {', '.join(known)}.")
    try:
        _check_attention_backend_requirements(AttentionBackendName(name))
    except (RuntimeError, ImportError) as error:
        raise Misconfigured(f"VIVANT_DIFFUSERS_ATTENTION: {error}") from None


def set_attention(pipeline: Any, transformers: tuple[str, ...], name: str) -> None:
    """Let the transformers compute attention so. Call `check_attention` before."""
    for part in transformers:
        getattr(pipeline, part).set_attention_backend(name)
