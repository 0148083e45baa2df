"""Whether Terraform looks into a plugin directory, and what to add to its configuration."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from terraform_provider_aetherv.cli_config import default_plugin_dir, stanza_needed

MIRROR = """
provider_installation {
  filesystem_mirror {
    path    = "%s"
    include = ["*/*/*"]
  }
  direct {}
}
"""


def test_users_own_folder_needs_nothing(tmp_path: Path) -> None:
    """Without a provider_installation block Terraform looks into the user's plugin folder by itself."""
    plugins = default_plugin_dir(tmp_path)
    assert stanza_needed(plugins, {}, tmp_path) is None
    (tmp_path / ".terraformrc").write_text(
        'plugin_cache_dir = "/x" # provider_installation {\n', encoding="utf-8"
    )
    assert stanza_needed(plugins, {}, tmp_path) is None


def test_other_folder_needs_a_block(tmp_path: Path) -> None:
    """Another folder needs the whole block; with it nothing more is needed."""
    stanza = stanza_needed(tmp_path / "plugins", {}, tmp_path)
    assert stanza is not None
    assert not stanza.inside_existing
    assert stanza.file == tmp_path / ".terraformrc"
    assert stanza.text.startswith("provider_installation {")
    assert 'exclude = ["aetherv.internal/*/*"]' in stanza.text
    stanza.file.write_text(stanza.text, encoding="utf-8")
    assert stanza_needed(tmp_path / "plugins", {}, tmp_path) is None


def test_block_of_the_user_switches_the_folder_off(tmp_path: Path) -> None:
    """A block that does not name the folder needs a mirror inside it, also for the user's own folder."""
    file = tmp_path / "my.tfrc"
    file.write_text(MIRROR % "/elsewhere", encoding="utf-8")
    stanza = stanza_needed(default_plugin_dir(tmp_path), {"TF_CLI_CONFIG_FILE": str(file)}, tmp_path)
    assert stanza is not None
    assert stanza.inside_existing
    assert stanza.file == file
    assert stanza.text.startswith("filesystem_mirror {")
    file.write_text(MIRROR % default_plugin_dir(tmp_path), encoding="utf-8")
    assert stanza_needed(default_plugin_dir(tmp_path), {"TF_CLI_CONFIG_FILE": str(file)}, tmp_path) is None


@pytest.mark.parametrize(
    "text",
    [
        '# provider_installation {\nx = "provider_installation {"\n/* provider_installation { } */\n// y',
        'host "x" { provider_installation { path = "/a" } }',
        "{ not json",
        "",
        '{"disable_checkpoint": true}',
        "[]",
        'credentials "x" {\n token = "unfinished',
    ],
)
def test_text_without_a_block(text: str, tmp_path: Path) -> None:
    """Comments, strings, other blocks and malformed files are no provider_installation block."""
    (tmp_path / ".terraformrc").write_text(text, encoding="utf-8")
    assert stanza_needed(default_plugin_dir(tmp_path), {}, tmp_path) is None


def test_configuration_in_json(tmp_path: Path) -> None:
    """A configuration in JSON, also one of the configuration folder, is read too."""
    folder = tmp_path / ".terraform.d"
    folder.mkdir()
    data = {"provider_installation": [{"filesystem_mirror": [{"path": "/elsewhere"}]}]}
    (folder / "a.tfrc.json").write_text(json.dumps(data), encoding="utf-8")
    stanza = stanza_needed(default_plugin_dir(tmp_path), {}, tmp_path)
    assert stanza is not None
    assert stanza.file == folder / "a.tfrc.json"
    data["provider_installation"][0]["filesystem_mirror"][0]["path"] = str(default_plugin_dir(tmp_path))
    (folder / "a.tfrc.json").write_text(json.dumps(data), encoding="utf-8")
    assert stanza_needed(default_plugin_dir(tmp_path), {}, tmp_path) is None


def test_unfinished_block(tmp_path: Path) -> None:
    """A block without its end still counts: Terraform would complain about it first."""
    (tmp_path / ".terraformrc").write_text("provider_installation {", encoding="utf-8")
    assert stanza_needed(default_plugin_dir(tmp_path), {}, tmp_path) is not None


def test_file_that_cannot_be_read(tmp_path: Path) -> None:
    """A configuration that is not text is left to Terraform."""
    (tmp_path / ".terraformrc").write_bytes(b"\xff\xfe\x00")
    assert stanza_needed(default_plugin_dir(tmp_path), {}, tmp_path) is None
