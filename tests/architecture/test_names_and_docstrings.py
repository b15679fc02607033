"""Names and docstrings that an outside engineer understands."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.imports import FILES
from support.paths import SOURCE

# Our own words of earlier days -> the field's. None may come back as a name or a part of one.
RETIRED = {"seat": "worker", "door": "server", "rehearse": "warm_up", "pour": "crossfade", "give_back": "requeue"}
ARRAY = re.compile(r"\b(F32|F64|U8|U16|U32|I16|I32|Bool|NDArray|ndarray)\b")
# What a docstring says of an array: a shape in brackets, a dtype, or whose shape it has.
SAYS_SHAPE = re.compile(r"\([^)]*,[^)]*\)|\([a-z]+,\)|shape|u?int\d+|float\d+|bool|quarter grid|quarter sample")


def by_location(path: Path) -> str:
    return str(path.relative_to(SOURCE))


def names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def public_functions(tree: ast.Module) -> Iterator[tuple[ast.FunctionDef, str]]:
    """Each with its docstring, that of its class, and that of a module that speaks for all its functions; without the
    methods that implement a protocol, whose text stands there."""
    module = ast.get_docstring(tree) or ""
    for node in tree.body:
        inside, shared = [node], module if "All functions" in module else ""
        if isinstance(node, ast.ClassDef):
            shared = ast.get_docstring(node) or ""
            inside = [] if "mplements" in shared or node.name.startswith("_") else node.body
        for function in inside:
            if isinstance(function, ast.FunctionDef) and not function.name.startswith("_"):
                yield function, f"{shared}\n{ast.get_docstring(function)}"


@pytest.mark.parametrize("path", FILES, ids=by_location)
def test_no_name_uses_a_word_that_was_given_up(path: Path) -> None:
    for name in [*names(ast.parse(path.read_text(encoding="utf-8"))), path.stem]:
        snake = re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
        for old, new in RETIRED.items():
            assert not re.search(rf"(^|_){old}s?(_|$)", snake), f"{name}: say {new}"


def test_no_two_types_share_a_name() -> None:
    where = defaultdict(list)
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                where[node.name].append(by_location(path))
    assert {name: paths for name, paths in where.items() if len(paths) > 1} == {}


@pytest.mark.parametrize("path", FILES, ids=by_location)
def test_a_public_function_with_arrays_says_their_shapes_or_types(path: Path) -> None:
    silent = []
    for function, text in public_functions(ast.parse(path.read_text(encoding="utf-8"))):
        arguments = [*function.args.args, *function.args.kwonlyargs]
        annotations = [ast.unparse(a.annotation) for a in arguments if a.annotation]
        annotations += [ast.unparse(function.returns)] if function.returns else []
        overload = any("overload" in ast.unparse(decorator) for decorator in function.decorator_list)
        if any(map(ARRAY.search, annotations)) and not overload and not SAYS_SHAPE.search(text):
            silent.append(function.name)
    assert not silent, "give shapes, dtypes, ranges and units of the arrays of these functions"
