"""The agent logs on by CredSSP: jobs reach a second hop, and what a host answers is told from a refused login."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest
from aetherv_agent.core.errors import AethervError
from aetherv_simhost.backends.api import ScriptCall
from support.winrm_site import PASSWORD, Listener, Write, call, progress, result, site, until

CONTROL = "Kontr\u00f6ll-\u58c1-77812"


@pytest.mark.parametrize("tls", [True, False])
@pytest.mark.parametrize(("auth", "delegated"), [("credssp", True), ("ntlm", False)])
async def test_a_job_runs_with_the_second_hop_that_its_login_gives(
    tmp_path: Path, tls: bool, auth: str, delegated: bool
) -> None:
    """A job by CredSSP has its records, secrets and result as by every login, and its credentials go one hop further."""

    def script(given: ScriptCall, write: Write, stopped: threading.Event) -> None:
        write(progress("copy_image"))
        secrets = given.parameters["Secrets"]
        assert isinstance(secrets, dict)
        write(result(delegated=given.delegated, told=secrets["guest_la_pw"].reveal() == CONTROL))

    with site(tmp_path, script, tls=tls) as host:
        agent, listener = host.agent(auth=auth), Listener()
        answer = await listener.run(agent, call(secrets={"guest_la_pw": CONTROL}, filler="x" * 100_000))
        await agent.aclose()
    assert answer == {"delegated": delegated, "told": True}
    assert listener.steps == ["copy_image"]


@pytest.mark.parametrize("tls", [True, False])
async def test_a_wrong_password_is_a_refused_login(tmp_path: Path, tls: bool) -> None:
    """It is HOST_AUTHENTICATION_FAILED, not to be tried again; neither password is shown and nothing runs."""
    with site(tmp_path, tls=tls) as host:
        agent = host.agent(auth="credssp", password=lambda: CONTROL)
        with pytest.raises(AethervError) as caught:
            await Listener().run(agent, call())
        await agent.aclose()
        assert host.backend.calls == []
    assert (caught.value.id, caught.value.transient) == ("HOST_AUTHENTICATION_FAILED", False)
    assert PASSWORD not in str(caught.value)
    assert CONTROL not in str(caught.value)


@pytest.mark.parametrize("tls", [True, False])
@pytest.mark.parametrize(
    ("kind", "error_id"), [("shell_quota", "HOST_QUOTA_EXCEEDED"), ("http_503", "HOST_UNREACHABLE")]
)
async def test_an_answer_to_the_first_request_is_no_refused_login(
    tmp_path: Path, tls: bool, kind: str, error_id: str
) -> None:
    """The login's last message carries the first request: its fault, or a host that goes away, is told as what it is."""
    with site(tmp_path, tls=tls) as host:
        host.fault(kind, "Create", value="0" if kind == "shell_quota" else "", count=-1)
        agent = host.agent(auth="credssp", recover_seconds=1)
        with pytest.raises(AethervError) as caught:
            await Listener().run(agent, call(deadline=30))
        await agent.aclose()
    assert caught.value.id == error_id


@pytest.mark.parametrize("tls", [True, False])
@pytest.mark.parametrize("kind", ["reset", "reset_mid", "idle_close", "http_503"])
async def test_a_connection_lost_in_mid_job_is_not_seen(tmp_path: Path, tls: bool, kind: str) -> None:
    """The agent logs on anew and asks on, also where the first answer on the new connection is "nothing yet"."""
    with site(tmp_path, tls=tls) as host:
        # The first Receives open the shell, the next one brings the first step.
        host.fault(kind, "Receive", after=2, count=2)
        agent, listener = host.agent(auth="credssp", operation_timeout=1), Listener()
        job = asyncio.create_task(listener.run(agent, call()))
        await until(lambda: job.done() or host.requests.counts.get("Receive", 0) >= 7, 90)
        host.backend.release.set()
        assert await job == {"run": 1}
        await agent.aclose()
    assert [given.delegated for given in host.backend.calls] == [True]
    assert listener.steps == ["copy_image", "register_vm"]
