"""Whether Terraform looks into a plugin directory, by the user's CLI configuration; and what to add if not."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from terraform_provider_aetherv.address import HOST

_BLOCK: Final = "provider_installation"
_TOKEN: Final = re.compile(r'"(?:\\.|[^"\\])*"|#[^\n]*|//[^\n]*|/\*.*?\*/|[{}]|[^\s{}"#/]+|/', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Stanza:
    """What has to be added to the CLI configuration, or else Terraform does not find the provider.

    Attributes:
        file: the configuration file that Terraform reads.
        inside_existing: whether ``text`` goes into the ``provider_installation`` block that is there.
        text: the lines to add.
    """

    file: Path
    inside_existing: bool
    text: str


def default_plugin_dir(home: Path) -> Path:
    """Give the folder in which Terraform looks for plugins by itself."""
    return home / ".terraform.d" / "plugins"


def config_file(environ: Mapping[str, str], home: Path) -> Path:
    """Give the CLI configuration file that Terraform reads."""
    named = environ.get("TF_CLI_CONFIG_FILE") or environ.get("TERRAFORM_CONFIG")
    return Path(named) if named else home / ".terraformrc"


def stanza_needed(plugin_dir: Path, environ: Mapping[str, str], home: Path) -> Stanza | None:
    """Find out whether Terraform looks into a plugin directory without being told so on its command line.

    Args:
        plugin_dir: the directory, absolute.
        environ: the environment in which Terraform will run.
        home: the user's home directory.

    Returns:
        What to add; None if Terraform looks there.
    """
    main = config_file(environ, home)
    files = [main]
    if not (environ.get("TF_CLI_CONFIG_FILE") or environ.get("TERRAFORM_CONFIG")):
        files += sorted((home / ".terraform.d").glob("*.tfrc")) + sorted(
            (home / ".terraform.d").glob("*.tfrc.json")
        )
    for file in files:
        mirrors = _mirrors(file)
        if mirrors is not None:
            known = {Path(mirror).expanduser() for mirror in mirrors}
            return (
                None
                if plugin_dir in known
                else Stanza(file, inside_existing=True, text=_mirror(plugin_dir, ""))
            )
    if plugin_dir == default_plugin_dir(home):
        return None
    body = _mirror(plugin_dir, "  ")
    direct = f'  direct {{\n    exclude = ["{HOST}/*/*"]\n  }}\n'
    return Stanza(main, inside_existing=False, text=f"{_BLOCK} {{\n{body}{direct}}}\n")


def _mirror(plugin_dir: Path, indent: str) -> str:
    lines = [
        "filesystem_mirror {",
        f"  path    = {json.dumps(str(plugin_dir), ensure_ascii=False)}",
        f'  include = ["{HOST}/*/*"]',
        "}",
    ]
    return "".join(f"{indent}{line}\n" for line in lines)


def _mirrors(file: Path) -> list[str] | None:
    """Give the paths of the block's mirrors; None if the file has no such block, or cannot be read."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    if text.lstrip().startswith("{"):
        return _mirrors_json(text)
    return _mirrors_hcl(text)


def _mirrors_hcl(text: str) -> list[str] | None:
    tokens = [token for token in _TOKEN.findall(text) if not token.startswith(("#", "//", "/*"))]
    depth = 0
    start = None
    for index, token in enumerate(tokens):
        if token == "{":  # noqa: S105  # a brace
            if depth == 0 and index and tokens[index - 1].strip('"') == _BLOCK:
                start = index
            depth += 1
        elif token == "}":  # noqa: S105  # a brace
            depth -= 1
            if depth == 0 and start is not None:
                return _paths(tokens[start:index])
    return None if start is None else _paths(tokens[start:])


def _paths(tokens: list[str]) -> list[str]:
    triples = zip(tokens, tokens[1:], tokens[2:], strict=False)
    return [value.strip('"') for name, equals, value in triples if name == "path" and equals == "="]


def _mirrors_json(text: str) -> list[str] | None:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict) or _BLOCK not in data:
        return None
    found: list[str] = []
    pending: list[Any] = [data[_BLOCK]]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            found += [value for name, value in item.items() if name == "path" and isinstance(value, str)]
            pending += item.values()
        elif isinstance(item, list):
            pending += item
    return found
