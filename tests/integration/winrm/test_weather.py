"""Many jobs at once while everything goes wrong with their connections: all end, nothing is left behind."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from aetherv_agent.core.errors import AethervError
from aetherv_agent.core.ports import JobCall
from aetherv_agent.winrm import WinRmHosts
from aetherv_simhost.backends.api import ScriptCall
from support.winrm_site import Listener, Site, Write, call, progress, result, site, until

JOBS = 8
KINDS = ("reset", "reset_mid", "lost_answer", "http_503", "idle_close")
ACTIONS = ("Create", "Command", "Send", "Receive", "Delete")


@pytest.mark.parametrize("tls", [True, False])
async def test_every_job_ends_and_no_shell_is_left(tmp_path: Path, tls: bool) -> None:
    """Called again as the engine does, each job gives its own result; the host has no shell in the end."""

    def script(given: ScriptCall, write: Write, stopped: threading.Event) -> None:
        for step in ("copy_image", "register_vm", "publish"):
            write(progress(step))
            stopped.wait(0.02)
        write(result(document=given.pipeline_input[0], secret=_secret(given)))

    chance = random.Random(77)  # the same weather each time
    with site(tmp_path, script, tls=tls) as host:
        agent = host.agent(max_job_shells=8)
        for _ in range(40):
            host.fault(chance.choice(KINDS), chance.choice(ACTIONS), after=chance.randrange(40))
        calls = [call(f"job-{n}", secrets={"guest_la_pw": f"pässword-{n}"}) for n in range(JOBS)]
        answers = await asyncio.gather(*(_persistent(agent, what) for what in calls))
        await agent.aclose()
        await until(lambda: not _shells(host))
    for number, (what, answer) in enumerate(zip(calls, answers, strict=True)):
        assert answer == {"document": what.document, "secret": f"pässword-{number}"}


def _secret(given: ScriptCall) -> str:
    secrets = given.parameters["Secrets"]
    assert isinstance(secrets, dict)
    return str(secrets["guest_la_pw"].reveal())


def _shells(host: Site) -> int:
    return len(host.server._hosts["hv1"]._service._shells)


async def _persistent(agent: WinRmHosts, what: JobCall) -> Mapping[str, Any]:
    """Call a job again after transient errors, as the engine does."""
    listener = Listener()
    for _ in range(40):
        try:
            return await listener.run(agent, what, again=True)
        except AethervError as failure:
            if not failure.transient:
                raise
            await asyncio.sleep(0.05)
    raise AssertionError("the job never ended")
