"""Blocking calls of the service run in `vivant.blocking`, by purpose and with a deadline, and nowhere else."""

from __future__ import annotations

import ast

from support.imports import FILES
from support.paths import SOURCE

ELSEWHERE = {"to_thread", "run_in_executor", "ThreadPoolExecutor", "set_default_executor"}
# What has no event loop; its threads share out work.
WITHOUT_A_LOOP = ("engines/", "encode/", "cli/measure.py")


def test_no_executor_but_ours_runs_blocking_calls() -> None:
    users = set()
    for path in FILES:
        relative = path.relative_to(SOURCE).as_posix()
        if relative.startswith(WITHOUT_A_LOOP):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
            if name in ELSEWHERE:
                users.add(f"{relative}: {name}")
    assert users == set()
