"""Shells on a simulated host with a real PowerShell, in both editions; one host for the tests of a file."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.pwsh_site import EDITIONS, Console, console, needs_pwsh


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skips the tests of this folder, with the reason, where there is no PowerShell."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(needs_pwsh)


@pytest.fixture(scope="module", params=EDITIONS)
def shell(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """An open shell on a clustered host, as Windows PowerShell 5.1 and as PowerShell 7."""
    settings = {"job_share": 0.5, "job_seconds": 0.01, "delegated": True}
    folder = tmp_path_factory.mktemp("pwsh")
    with console(folder, request.param, cluster="CLUSTER1", pwsh=settings) as opened:
        yield opened
