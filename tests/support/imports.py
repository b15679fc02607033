"""Reads the imports of the source as text: which of our modules each of our modules needs."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from support.paths import SOURCE

FILES = sorted(SOURCE.rglob("*.py"))


def module_name(path: Path) -> str:
    """`vivant.request` for src/vivant/request.py; a package is named without `__init__`."""
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in FILES}


@cache
def imported_modules(path: Path) -> frozenset[str]:
    """Our own modules that a file imports, also inside functions. `from package import module` counts as the module."""
    return imported_by(path.read_text(encoding="utf-8"), str(path))


def imported_by(source: str, where: str = "the source") -> frozenset[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{where}: relative import; say where from"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                names.add(full if full in MODULES else node.module or "")
    return frozenset(name for name in names if name in MODULES)
