"""Jobs through lost connections, lost answers, restarted agents and dead shells."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from aetherv_agent.core.errors import AethervError
from aetherv_simhost.backends.api import ScriptCall
from support.winrm_site import Listener, Site, Write, call, error, progress, result, site, until


@pytest.mark.parametrize("tls", [True, False])
@pytest.mark.parametrize("kind", ["reset", "reset_mid", "lost_answer", "http_503"])
@pytest.mark.parametrize("where", ["Command", "Receive"])
async def test_a_connection_lost_in_mid_job_is_not_seen(
    tmp_path: Path, where: str, kind: str, tls: bool
) -> None:
    """Whatever happens to the connection, the same pipeline goes on and is read to its end: it ran once."""
    with site(tmp_path, tls=tls) as host:
        # The first Receives open the shell: the job's come after them.
        after = 1 if where == "Receive" else 0
        host.fault(kind, where, after=after, count=2)
        agent, listener = host.agent(), Listener()
        job = asyncio.create_task(listener.run(agent, call()))
        await until(lambda: host.backend.calls)
        host.backend.release.set()
        answer = await job
        await agent.aclose()
    assert answer == {"run": 1}
    assert len(host.backend.calls) == 1
    assert host.requests.counts["Create"] == 1
    assert listener.steps == ["copy_image", "register_vm"]


@pytest.mark.parametrize("tls", [True, False])
async def test_idle_connections_that_the_host_closes_are_opened_anew(tmp_path: Path, tls: bool) -> None:
    """A connection closed between two polls, whose keys are void then, is replaced."""
    with site(tmp_path, tls=tls) as host:
        host.fault("idle_close", "Receive", after=1, count=3)
        agent, listener = host.agent(), Listener()
        job = asyncio.create_task(listener.run(agent, call()))
        await until(lambda: listener.steps)
        host.backend.release.set()
        assert await job == {"run": 1}
        await agent.aclose()
    assert len(host.backend.calls) == 1


async def test_input_that_may_have_arrived_is_never_sent_twice(tmp_path: Path) -> None:
    """A lost answer to Send ends that shell; the same job, called again, runs in a new one."""
    with site(tmp_path) as host:
        host.fault("lost_answer", "Send")
        agent, listener = host.agent(), Listener()
        with pytest.raises(AethervError) as caught:
            await listener.run(agent, call())
        assert caught.value.transient
        assert listener.shell is not None
        assert listener.shell["fed"] is False
        host.backend.release.set()
        await listener.run(agent, call(), again=True)
        await agent.aclose()
    assert [len(given.pipeline_input) for given in host.backend.calls] == [1, 1]
    assert host.requests.counts["Create"] == 2
    assert host.backend.running == 0


async def test_a_new_process_takes_the_running_pipeline_up(tmp_path: Path) -> None:
    """An agent that stopped leaves the pipeline running; the next one reads the rest of it."""
    with site(tmp_path) as host:
        listener = Listener()
        await _leave(host, listener)
        assert host.backend.running == 1
        successor = host.agent()
        job = asyncio.create_task(listener.run(successor, call(), again=True))
        await until(lambda: host.requests.counts.get("Reconnect"))
        host.backend.release.set()
        assert await job == {"run": 1}
        await successor.aclose()
    assert len(host.backend.calls) == 1
    assert host.requests.counts["Create"] == 1
    assert listener.steps == ["copy_image", "register_vm"]


async def test_a_process_that_died_is_followed_by_the_next(tmp_path: Path) -> None:
    """The shell of a client that never said goodbye is taken up too."""
    with site(tmp_path) as host:
        listener = Listener()
        agent = host.agent()
        job = asyncio.create_task(listener.run(agent, call()))
        await until(lambda: listener.steps)
        host.fault("unreachable", count=-1)
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job
        await agent.aclose()
        host.server.faults("hv1").clear()
        assert host.requests.counts.get("Disconnect", 0) == 0
        await host.quiet()
        successor = host.agent()
        host.backend.release.set()
        assert await listener.run(successor, call(), again=True) == {"run": 1}
        await successor.aclose()
    assert len(host.backend.calls) == 1


async def test_a_pipeline_that_ended_while_no_agent_ran_gives_its_result(tmp_path: Path) -> None:
    """What the host has kept is read by the next agent, the result too."""
    with site(tmp_path) as host:
        listener = Listener()
        await _leave(host, listener)
        host.backend.release.set()
        await until(lambda: host.backend.running == 0)
        successor = host.agent()
        assert await listener.run(successor, call(), again=True) == {"run": 1}
        await successor.aclose()
    assert len(host.backend.calls) == 1


async def test_a_shell_that_is_gone_means_the_same_job_again(tmp_path: Path) -> None:
    """Where a saved shell is gone the job starts anew under its id."""
    with site(tmp_path) as host:
        listener = Listener()
        await _leave(host, listener)
        host.fault("shells_killed", "Reconnect")
        host.backend.release.set()
        successor = host.agent()
        assert await listener.run(successor, call(), again=True) == {"run": 2}
        await successor.aclose()
    assert len(host.backend.calls) == 2
    assert host.backend.calls[0].pipeline_input == host.backend.calls[1].pipeline_input


async def test_a_shell_killed_in_mid_job_loses_the_result_for_now(tmp_path: Path) -> None:
    """The call ends with HOST_RESULT_LOST, which is transient: called again, the job is started again."""
    with site(tmp_path) as host:
        agent, listener = host.agent(), Listener()
        job = asyncio.create_task(listener.run(agent, call()))
        await until(lambda: listener.steps)
        host.fault("shells_killed", "Receive")
        with pytest.raises(AethervError) as caught:
            await job
        assert (caught.value.id, caught.value.transient) == ("HOST_RESULT_LOST", True)
        host.backend.release.set()
        assert await listener.run(agent, call(), again=True) == {"run": 2}
        await agent.aclose()


async def test_a_host_that_restarts_in_mid_job_gets_the_same_job_again(tmp_path: Path) -> None:
    """While the host is down the call waits; its shell is gone afterwards, and the job starts again."""
    with site(tmp_path) as host:
        agent, listener = host.agent(), Listener()
        job = asyncio.create_task(listener.run(agent, call()))
        await until(lambda: listener.steps)
        host.server.reboot("hv1", 0.5)
        with pytest.raises(AethervError) as caught:
            await job
        assert caught.value.id == "HOST_RESULT_LOST"
        host.backend.release.set()
        assert await listener.run(agent, call(), again=True) == {"run": 2}
        await agent.aclose()


async def test_a_host_that_stays_away_is_unreachable_and_the_job_is_found_later(tmp_path: Path) -> None:
    """After ``recover_seconds`` the call gives up with a transient error; the pipeline is taken up when it can be."""
    with site(tmp_path) as host:
        agent, listener = host.agent(recover_seconds=0.5), Listener()
        job = asyncio.create_task(listener.run(agent, call()))
        await until(lambda: listener.steps)
        host.fault("http_503", count=-1)
        with pytest.raises(AethervError) as caught:
            await job
        assert (caught.value.id, caught.value.transient) == ("HOST_UNREACHABLE", True)
        with pytest.raises(AethervError, match="503"):
            await listener.run(agent, call(), again=True)
        host.server.faults("hv1").clear()
        host.backend.release.set()
        assert await listener.run(agent, call(), again=True) == {"run": 1}
        await agent.aclose()
    assert len(host.backend.calls) == 1


async def test_nothing_is_sent_when_the_shell_cannot_be_saved(tmp_path: Path) -> None:
    """Where the operation's row cannot be written no script runs, and the shell is closed."""

    class NotMineError(Exception):
        """The lease is lost."""

    async def refuse(shell: Any) -> None:
        raise NotMineError

    with site(tmp_path) as host:
        agent, listener = host.agent(), Listener()
        listener.save_shell = refuse  # type: ignore[method-assign]  # a store that refuses
        with pytest.raises(NotMineError):
            await listener.run(agent, call())
        await agent.aclose()
    assert host.backend.calls == []
    assert host.requests.counts["Create"] == host.requests.counts["Delete"] == 1
    assert "Command" not in host.requests.counts


async def test_a_listener_that_fails_leaves_the_pipeline_alone(tmp_path: Path) -> None:
    """When a record cannot be told (the lease is lost) the host is not touched any more."""

    class NotMineError(Exception):
        """The lease is lost."""

    async def refuse(entry: Any) -> None:
        raise NotMineError

    with site(tmp_path) as host:
        agent, listener = host.agent(), Listener()
        listener.on_record = refuse  # type: ignore[method-assign]  # an engine that has lost its lease
        with pytest.raises(NotMineError):
            await listener.run(agent, call())
        await agent.aclose()
        assert host.backend.running == 1
    assert "Delete" not in host.requests.counts
    assert "Disconnect" not in host.requests.counts


async def test_a_job_at_its_deadline_goes_on_and_is_taken_up(tmp_path: Path) -> None:
    """The deadline of a call ends the waiting with a transient error, not the job."""
    with site(tmp_path) as host:
        agent, listener = host.agent(), Listener()
        with pytest.raises(AethervError) as caught:
            await listener.run(agent, call(deadline=1))
        assert (caught.value.id, caught.value.transient) == ("HOST_TIMEOUT", True)
        assert host.backend.running == 1
        await host.quiet()
        host.backend.release.set()
        assert await listener.run(agent, call(), again=True) == {"run": 1}
        await agent.aclose()
    assert len(host.backend.calls) == 1
    assert host.requests.counts["Create"] == host.requests.counts["Delete"] == 1


async def test_the_shell_of_a_job_that_was_taken_back_is_closed(tmp_path: Path) -> None:
    """After a cancel has run in another shell, the one that the cancelled call left is closed too."""
    with site(tmp_path) as host:
        waiting = host.backend.waiting

        def script(given: ScriptCall, write: Write, stopped: threading.Event) -> None:
            if '"cancel": true' in given.pipeline_input[0]:
                host.backend.release.set()
                write(error("JOB_CANCELLED", category="cancelled", undone=True))
            else:
                waiting(given, write, stopped)

        host.backend.script = script
        agent, listener = host.agent(), Listener()
        job = asyncio.create_task(listener.run(agent, call()))
        await until(lambda: listener.steps)
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job
        with pytest.raises(AethervError, match="No room"):
            await Listener().run(agent, call(cancel=True))
        await agent.aclose()
    assert host.requests.counts["Create"] == host.requests.counts["Delete"] == 2


async def test_another_calls_shell_is_not_taken_up(tmp_path: Path) -> None:
    """A saved shell of the job does not answer the call that takes the job back."""

    def script(given: ScriptCall, write: Write, stopped: threading.Event) -> None:
        write(progress("copy_image"))
        write(result(cancel='"cancel": true' in given.pipeline_input[0]))

    with site(tmp_path, script) as host:
        agent, listener = host.agent(), Listener()
        assert await listener.run(agent, call()) == {"cancel": False}
        assert await listener.run(agent, call(cancel=True), again=True) == {"cancel": True}
        await agent.aclose()


async def test_a_lost_answer_to_create_leaves_no_shell(tmp_path: Path) -> None:
    """A shell whose opening could not be confirmed is closed by its id."""
    with site(tmp_path) as host:
        host.fault("lost_answer", "Create")
        agent = host.agent()
        with pytest.raises(AethervError) as caught:
            await Listener().run(agent, call())
        assert caught.value.id == "HOST_UNREACHABLE"
        await agent.aclose()
    assert host.requests.counts["Create"] == host.requests.counts["Delete"] == 1


async def _leave(host: Site, listener: Listener) -> None:
    """Run a job until its first step is told, then stop its agent."""
    agent = host.agent()
    job = asyncio.create_task(listener.run(agent, call()))
    await until(lambda: listener.steps)
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    await agent.aclose()
    await host.quiet()
    assert host.backend.stopped == 0
