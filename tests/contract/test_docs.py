"""README and docs are held to the code: what they show is accepted by what they show it for."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
import trustme
from aetherv_agent import config_check
from aetherv_agent.cli.main import app
from aetherv_agent.config import load
from support.terraform import Terraform
from terraform_provider_aetherv.install import install
from terraform_provider_aetherv.resources.vm.schema import SCHEMA
from typer.testing import CliRunner

ROOT = Path(__file__).resolve().parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
_FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?:^ {4}.*\n)+", re.MULTILINE)
_INLINE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")


def _blocks(page: Path, language: str) -> list[str]:
    return [body for name, body in _FENCED.findall(page.read_text("utf-8")) if name == language]


def _command_lines(page: Path, program: str) -> Iterator[str]:
    """Yield each use of a program that a page shows as code, without comments."""
    text = page.read_text("utf-8")
    code = [body for _, body in _FENCED.findall(text)]
    rest = _FENCED.sub("", text)
    code += [*_INDENTED.findall(rest), *_INLINE.findall(rest)]
    for line in (line for block in code for line in block.splitlines()):
        for part in line.partition("#")[0].split("&&"):
            words = part.removeprefix("$").split()
            words = words[1:] if words[:1] == ["$"] else words
            if words[:1] == [program] and words[1:2] and words[1] != "=":
                yield " ".join(words)


def _resource(text: str) -> str:
    """Return a configuration's VM without comments and layout."""
    found = re.search(r'^resource "aetherv_vm" "web" \{\n.*?^\}', text, re.MULTILINE | re.DOTALL)
    assert found
    return " ".join(re.sub(r"#.*", "", found[0]).split())


def test_agent_configuration_is_accepted(tmp_path: Path) -> None:
    """The configuration that docs/agent.md shows is a good one, once the files are there that it names."""
    (block,) = _blocks(ROOT / "docs/agent.md", "yaml")
    (tmp_path / "agent.yaml").write_text(block, "utf-8")
    authority = trustme.CA()
    for name in ("clients.pem", "corporate-ca.pem"):
        authority.cert_pem.write_to_path(tmp_path / name)
    password = tmp_path / "hv01-password"
    password.touch(mode=0o600)
    password.write_text("any", "utf-8")

    config = load(tmp_path / "agent.yaml", {"state_dir": tmp_path / "state"})
    config_check.check(config)
    assert [host.name for host in config.hosts] == ["hv01"]
    assert config.hosts[0].password_file == password


@pytest.mark.terraform
def test_configurations_are_valid(tmp_path: Path, terraform_factory: Callable[..., Terraform]) -> None:
    """Terraform and the provider accept the HCL of README and docs, as one configuration."""
    plugins = tmp_path / "plugins"
    install(plugins)
    terraform = terraform_factory(plugin_dir=plugins)
    blocks = [block for page in PAGES for block in _blocks(page, "hcl")]
    assert len(blocks) >= 2
    for number, block in enumerate(blocks):
        terraform.write(block, f"block{number}.tf")
    terraform.write(
        'variable "admin_password" {\n  type      = string\n  ephemeral = true\n}\n', "variables.tf"
    )
    terraform.init().ok()
    assert "The configuration is valid." in terraform.validate().ok().output


def test_readme_shows_the_quickstart() -> None:
    """The README's resource is the one that ``make demo`` makes."""
    readme = (ROOT / "README.md").read_text("utf-8")
    example = (ROOT / "examples/quickstart/main.tf").read_text("utf-8")
    assert _resource(readme) == _resource(example)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_exist(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each ``aetherv`` command line on a page names a command that exists and options that it has."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("NO_COLOR", "1")
    for line in _command_lines(page, "aetherv"):
        words = line.split()[1:]
        command: list[str] = []
        while words and re.fullmatch(r"[a-z][a-z-]*", words[0]):
            command.append(words.pop(0))
        answer = CliRunner().invoke(app, [*command, "--help"])
        assert answer.exit_code == 0, f"{line}\n{answer.output}"
        assert len(command) == 2, f"a whole command: {line}"
        for option in re.findall(r"--[a-z][a-z-]*", " ".join(words)):
            assert re.search(rf"(?<!\S){option}(?!\S)", answer.output), f"{option} of: {line}"


def test_commands_are_found() -> None:
    """The search for commands finds those that are there, in whatever form a page shows them."""
    found = {line for page in PAGES for line in _command_lines(page, "aetherv")}
    assert {"aetherv vms list", "aetherv provider install", "aetherv operations watch ID"} <= found
    assert len(found) >= 6


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_make_targets_exist(page: Path) -> None:
    """Each ``make`` target on a page is one of the Makefile's."""
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    for line in _command_lines(page, "make"):
        assert line.split()[1] in targets, line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Each relative link leads to a file or folder of the repository."""
    for link in _LINK.findall(page.read_text("utf-8")):
        if "://" not in link:
            assert (page.parent / link.partition("#")[0]).exists(), link


def test_table_of_changes_is_the_schema() -> None:
    """What a change does is said of each attribute that can be set, and of nothing else."""
    text = (ROOT / "docs/provider.md").read_text("utf-8")
    table = text.partition("| attribute | change |")[2].partition("\n\n")[0]
    named = [
        name
        for row in table.splitlines()
        for name in _INLINE.findall(row.split("|")[1] if "|" in row else "")
    ]
    attributes = {attribute.name: attribute for attribute in SCHEMA.attributes}
    for pattern in named:
        assert any(fnmatchcase(name, pattern) for name in attributes), f"no attribute: {pattern}"
    settable = [name for name, attribute in attributes.items() if attribute.required or attribute.optional]
    unsaid = [name for name in settable if not any(fnmatchcase(name, pattern) for pattern in named)]
    assert unsaid == [], textwrap.shorten(f"docs/provider.md does not say what a change does: {unsaid}", 300)
