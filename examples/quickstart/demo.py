"""Show Aether-V's main job with real parts: a simulated Hyper-V host, the agent, the provider, Terraform.

``python demo.py [FOLDER]`` with the Python of an environment that has ``aetherv[demo]``. All that is made lies in
FOLDER (``.demo`` beside the repository's README by default), all that is started is stopped.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from interrupts import Interrupts
from parts import DemoError, Part, free_port, run_once, stop_leftovers, wait_for

if TYPE_CHECKING:
    from steps import StepPrinter

EXAMPLE = Path(__file__).resolve().parent
ACCOUNT = "aetherv"
HOST = "hv01"
MARK = "made-by-demo"
# Small images, but copied slowly enough to see it.
MODEL = {
    "image_bytes": 24 << 20,
    "copy_bytes_per_second": 12 << 20,
    "host_seconds": {"progress": 0.5},
    "guest_seconds": {"boot": 0.4, "apply": 0.6},
}


def main() -> int:
    """Run the demo; return its exit status."""
    began = time.monotonic()
    interrupts = Interrupts()
    # All parts talk over the loopback: a proxy of the user's shell must not be asked.
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = "127.0.0.1"
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else _default()).resolve()
    try:
        with contextlib.ExitStack() as parts:
            try:
                _prepare(folder)
                show(f"Half a minute; everything that this demo makes lies in {_short(folder)}.")
                parts.enter_context(_simulated_host(folder, interrupts))
                endpoint = parts.enter_context(_agent(folder, interrupts))
                _terraform(folder, endpoint, interrupts)
            finally:
                with interrupts.shielded():
                    parts.close()
    except KeyboardInterrupt:
        show(f"Interrupted: everything that was started is stopped. Logs: {_short(folder)}/*.log")
        return 130
    except BrokenPipeError:
        # Nobody reads any more; nor will what Python writes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        show(f"The demo failed: {error}. Another folder can be given: python demo.py FOLDER")
        return 1
    except DemoError as error:
        show(f"The demo failed: {error}")
        return 1
    show(f"Done in {time.monotonic() - began:.0f} s; everything that was started is stopped.")
    return 0


def show(text: str) -> None:
    """Print a line of the demo's own."""
    bold, end = ("\x1b[1m", "\x1b[0m") if sys.stdout.isatty() else ("", "")
    # In one piece: the steps are printed by a thread of their own.
    sys.stdout.write(f"{bold}== {text}{end}\n")
    sys.stdout.flush()


def _default() -> Path:
    checkout = EXAMPLE.parent.parent
    return (checkout if (checkout / "pyproject.toml").is_file() else Path.cwd()) / ".demo"


def _prepare(folder: Path) -> None:
    if folder.name != ".demo" and folder.exists() and not (folder / MARK).is_file() and any(folder.iterdir()):
        raise DemoError(f"{folder} is not empty and not of an earlier demo: choose another folder")
    # A run that was killed may have left its processes and a VM in the simulated host's state.
    stop_leftovers(folder)
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True, mode=0o700)
    (folder / MARK).write_text("The demo makes this folder anew each time it runs.\n", "utf-8")
    password = secrets.token_urlsafe(24)
    _private(folder / "host-users.json", json.dumps({ACCOUNT: password}))
    _private(folder / "host-password", password)
    (folder / "host-model.json").write_text(json.dumps(MODEL), "utf-8")


def _private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, "utf-8")


@contextlib.contextmanager
def _simulated_host(folder: Path, interrupts: Interrupts) -> Iterator[None]:
    show(f"A simulated Hyper-V host starts: {HOST}, HTTPS with NTLM and Basic (Hyper-V itself is simulated).")
    state = folder / "simhost"
    part = Part(
        "simhost",
        folder,
        [
            "simhost",
            "serve",
            "--host",
            HOST,
            "--state-dir",
            str(state),
            "--user-file",
            str(folder / "host-users.json"),
            "--model",
            str(folder / "host-model.json"),
        ],
        interrupts,
    )
    with part:
        wait_for(lambda: (state / "ports.json").is_file() and (state / "ca.pem").is_file(), part)
        port = json.loads((state / "ports.json").read_text())[HOST]
        part.wait_for_port(port)
        (folder / "agent.yaml").write_text(
            json.dumps(
                {
                    "version": 1,
                    "state_dir": str(folder / "agent"),
                    "listeners": [{"address": f"127.0.0.1:{free_port()}"}],
                    "provisioning": {"settle_seconds": 1, "inventory_max_age": 1},
                    "operations": {"shutdown_notice": 0},
                    "hosts": [
                        {
                            "name": HOST,
                            "address": "127.0.0.1",
                            "port": port,
                            "auth": "ntlm",
                            "username": ACCOUNT,
                            "password_file": str(folder / "host-password"),
                            "ca_cert": str(state / "ca.pem"),
                        }
                    ],
                },
                indent=2,
            ),
            encoding="utf-8",
        )
        yield


@contextlib.contextmanager
def _agent(folder: Path, interrupts: Interrupts) -> Iterator[str]:
    show("The agent starts: SQLite, TLS with a CA of its own, a token file made at first start.")
    endpoint = json.loads((folder / "agent.yaml").read_text())["listeners"][0]["address"]
    part = Part("agent", folder, ["agent", "serve", "--config", str(folder / "agent.yaml")], interrupts)
    with part:
        wait_for((folder / "agent" / "token").is_file, part)
        part.wait_for_port(int(endpoint.rpartition(":")[2]))
        yield endpoint


def _terraform(folder: Path, endpoint: str, interrupts: Interrupts) -> None:
    # Late: they take a second to load, and the first lines are to be there at once.
    from steps import StepPrinter
    from terraform import Terraform
    from terraform_provider_aetherv.install import InstallError, install

    plugins = folder / "plugins"
    try:
        install(plugins)
    except InstallError as error:
        raise DemoError(str(error)) from error
    work = folder / "quickstart"
    work.mkdir()
    shutil.copy(EXAMPLE / "main.tf", work)
    client = {
        "AETHERV_ENDPOINT": endpoint,
        "AETHERV_TOKEN_FILE": str(folder / "agent" / "token"),
        "AETHERV_CA_CERT": str(folder / "agent" / "tls" / "ca.pem"),
    }
    variables = client | {"TF_VAR_admin_password": secrets.token_urlsafe(18)}
    terraform = Terraform(folder, plugins, variables, interrupts)
    show(
        f"{terraform.name} runs in a copy of examples/quickstart; the provider comes from a folder, not the network."
    )
    steps = StepPrinter(client, show)
    terraform.run("init", "-input=false")
    terraform.run("plan", "-input=false")
    with steps:
        terraform.run("apply", "-input=false", "-auto-approve")
    terraform.run("plan", "-input=false", "-detailed-exitcode")
    show("aetherv vms list")
    run_once(["vms", "list"], client)
    with steps:
        terraform.run("destroy", "-input=false", "-auto-approve")
    _summary(steps, folder)


def _summary(steps: StepPrinter, folder: Path) -> None:
    show("What was made and removed, and how long each step took:")
    for line in steps.summary():
        print(f"   {line}", flush=True)
    show("To try next:")
    for line in (
        f"look at what the parts wrote: ls {_short(folder)}/*.log",
        "change examples/quickstart/main.tf and run the demo again",
        "README.md: the agent's configuration for a host of your own",
    ):
        print(f"   {line}", flush=True)


def _short(path: Path) -> str:
    with contextlib.suppress(ValueError):
        return os.path.relpath(path)
    return str(path)


if __name__ == "__main__":
    sys.exit(main())
