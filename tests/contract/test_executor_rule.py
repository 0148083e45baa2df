"""Blocking work runs in named, bounded executors alone (design: operations, 11)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import aetherv_agent

SOURCES = sorted(Path(aetherv_agent.__file__).parent.rglob("*.py"))


def breaches(source: str) -> Iterator[str]:
    """Yield what of a source would use, or replace, asyncio's default executor.

    Looked for: ``to_thread`` under whatever name it is imported, ``run_in_executor`` whose first argument is None or
    is not given by position, ``set_default_executor``.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module == "asyncio":
            for alias in node.names:
                if alias.name in {"to_thread", "*"}:
                    yield f"line {node.lineno}: imports asyncio.{alias.name}"
        elif isinstance(node, ast.Attribute) and node.attr in {"to_thread", "set_default_executor"}:
            yield f"line {node.lineno}: {node.attr}"
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "run_in_executor"
        ):
            executor = node.args[0] if node.args else None
            if executor is None or (isinstance(executor, ast.Constant) and executor.value is None):
                yield f"line {node.lineno}: run_in_executor without an executor of its own"


def test_no_source_of_the_agent_uses_the_default_executor() -> None:
    """The default pool has a handful of threads: a few waiting creates would block every read."""
    assert len(SOURCES) > 50
    found = {path.name: problems for path in SOURCES if (problems := list(breaches(path.read_text("utf-8"))))}
    assert not found


def test_the_rule_sees_every_form() -> None:
    """A check that finds nothing in anything would prove nothing."""
    forms = (
        "from asyncio import to_thread",
        "from asyncio import to_thread as t",
        "asyncio.to_thread(f)",
        "import asyncio as a\nx = a.to_thread",
        "loop.run_in_executor(None, f)",
        "asyncio.get_running_loop().run_in_executor(executor=None, func=f)",
        "loop.set_default_executor(p)",
    )
    for form in forms:
        assert list(breaches(form)), form
    assert not list(breaches("loop.run_in_executor(self._executor, f)"))
