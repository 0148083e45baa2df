"""Jobs over the wire of a simulated host: what comes back, what goes in, how many at once."""

from __future__ import annotations

import asyncio
import logging
import threading
from pathlib import Path

import pytest
from aetherv_agent.core.errors import AethervError
from aetherv_agent.core.job_document import script_path
from aetherv_agent.core.results import Log, Progress
from aetherv_simhost.backends.api import ScriptCall, ScriptFailed
from support.winrm_site import (
    HOST,
    PASSWORD,
    Listener,
    Write,
    at_once,
    call,
    error,
    progress,
    record,
    result,
    scripts_only,
    site,
    until,
)

CONTROL = "Kontröll-壁-🗝-77812 $(x) 'q' \"d\""


@pytest.mark.parametrize(
    ("tls", "auth"), [(True, "ntlm"), (True, "basic"), (True, "negotiate"), (False, "ntlm")]
)
async def test_a_job_gives_its_records_in_order_and_then_its_result(
    tmp_path: Path, tls: bool, auth: str
) -> None:
    """Progress and logs come in the script's order, the result last, over each way of authentication."""

    def script(given: ScriptCall, write: Write, stopped: threading.Event) -> None:
        write(progress("copy_image", "started"))
        write(record("log", level="info", message="wörk"))
        write(progress("copy_image"))
        write(result(input=list(given.pipeline_input), path=given.path))

    with site(tmp_path, script, tls=tls) as host:
        agent, listener = host.agent(auth=auth), Listener()
        what = call()
        answer = await listener.run(agent, what)
        await agent.aclose()
    assert answer == {"input": [what.document], "path": script_path("create", HOST)}
    first, second, third = listener.records
    assert isinstance(first, Progress)
    assert first.state == "started"
    assert isinstance(second, Log)
    assert second.message == "wörk"
    assert isinstance(third, Progress)
    assert host.requests.counts["Create"] == host.requests.counts["Delete"] == 1


async def test_a_typed_error_is_raised_as_the_hosts_answer(tmp_path: Path) -> None:
    """An error record becomes an AethervError that says what stands and that the host answered."""

    def script(given: ScriptCall, write: Write, stopped: threading.Event) -> None:
        write(
            error("DISK_FULL", undone=True, leftovers=[{"kind": "disk", "path": "C:\\x", "message": "left"}])
        )

    with site(tmp_path, script) as host:
        agent = host.agent()
        with pytest.raises(AethervError) as caught:
            await Listener().run(agent, call())
        await agent.aclose()
    assert (caught.value.id, caught.value.host_answered, caught.value.undone) == ("DISK_FULL", True, True)
    assert caught.value.leftovers[0].path == "C:\\x"


async def test_powershells_own_error_is_a_script_error(tmp_path: Path) -> None:
    """A pipeline that fails without a record of the contract is SCRIPT_ERROR, answered by the host."""

    def script(given: ScriptCall, write: Write, stopped: threading.Event) -> None:
        raise ScriptFailed("cannot index into null", "NullArray,X", "InvalidOperation")

    with site(tmp_path, script) as host:
        agent = host.agent()
        with pytest.raises(AethervError, match="cannot index into null") as caught:
            await Listener().run(agent, call())
        await agent.aclose()
    assert (caught.value.id, caught.value.host_answered) == ("SCRIPT_ERROR", True)


async def test_a_host_without_the_scripts_is_named(tmp_path: Path) -> None:
    """A path at which no script stands is SCRIPTS_MISMATCH with the path."""
    with site(tmp_path, scripts_only(at_once)) as host:
        agent = host.agent()
        await Listener().run(agent, call())
        host.backend.script = scripts_only(lambda *_: None)
        unknown = call(script="create")
        other = type(HOST)(id="hv1", install_directory=r"D:\Elsewhere")
        agent._hosts["hv1"].host = type(agent._hosts["hv1"].host)(host.settings(), other)
        with pytest.raises(AethervError) as caught:
            await Listener().run(agent, unknown)
        await agent.aclose()
    assert (caught.value.id, caught.value.host_answered) == ("SCRIPTS_MISMATCH", True)
    assert r"D:\Elsewhere" in caught.value.message


async def test_secrets_arrive_intact_and_are_shown_nowhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """SecureStrings arrive letter by letter; neither they nor the host's password reach a log, an error or a repr."""
    arrived: dict[str, str] = {}

    def script(given: ScriptCall, write: Write, stopped: threading.Event) -> None:
        secrets = given.parameters["Secrets"]
        assert isinstance(secrets, dict)
        arrived.update({name: value.reveal() for name, value in secrets.items()})
        raise ScriptFailed("broken", "Broken", "InvalidOperation")

    caplog.set_level(logging.DEBUG)
    what = call(secrets={"guest_la_pw": CONTROL, "guest_domain_joinpw": "x" * 5000})
    with site(tmp_path, script) as host:
        agent, listener = host.agent(auth="basic"), Listener()
        with pytest.raises(AethervError) as caught:
            await listener.run(agent, what)
        host.fault("auth_refused", count=-1)
        with pytest.raises(AethervError) as refused:
            await listener.run(agent, call())
        await agent.aclose()
    assert arrived == {"guest_la_pw": CONTROL, "guest_domain_joinpw": "x" * 5000}
    shown = [caplog.text, repr(agent.__dict__), repr(listener), repr(what), repr(host.settings())]
    for failure in (caught.value, refused.value):
        shown += [repr(failure), str(failure), repr(failure.__dict__)]
        assert failure.__cause__ is None
        assert failure.__context__ is None
    for text in shown:
        assert CONTROL not in text
        assert PASSWORD not in text
        assert ascii(PASSWORD)[1:-1] not in text


async def test_a_document_of_a_megabyte_arrives_whole(tmp_path: Path) -> None:
    """A long document comes as one string of input."""
    with site(tmp_path, at_once) as host:
        agent = host.agent()
        what = call(filler="ä{}\n" * 250_000)
        answer = await Listener().run(agent, what)
        await agent.aclose()
    assert len(what.document) > 1_000_000
    assert answer["input"] == [what.document]


async def test_jobs_beyond_a_hosts_limit_wait(tmp_path: Path) -> None:
    """Thirty jobs at once on one host run sixteen at a time, and all of them end."""
    with site(tmp_path) as host:
        agent = host.agent()
        tasks = [asyncio.create_task(Listener().run(agent, call(f"j{n}"))) for n in range(30)]
        await until(lambda: len(host.backend.calls) >= 16)
        assert len(host.backend.calls) == 16
        host.backend.release.set()
        answers = await asyncio.gather(*tasks)
        await agent.aclose()
    assert len(answers) == 30
    assert host.backend.most == 16
    assert host.requests.counts["Create"] == host.requests.counts["Delete"] == 30


async def test_a_cancel_runs_while_every_slot_is_taken_by_jobs(tmp_path: Path) -> None:
    """A call that takes a job back gets a shell of its own although the host's job limit is reached."""
    with site(tmp_path) as host:
        waiting = host.backend.waiting

        def script(given: ScriptCall, write: Write, stopped: threading.Event) -> None:
            if '"cancel": true' in given.pipeline_input[0]:
                host.backend.release.set()
                write(error("JOB_CANCELLED", category="cancelled", undone=True))
            else:
                waiting(given, write, stopped)

        host.backend.script = script
        agent = host.agent(max_job_shells=1)
        job = asyncio.create_task(Listener().run(agent, call()))
        with pytest.raises(AethervError) as caught:
            await Listener().run(agent, call(cancel=True))
        assert caught.value.id == "JOB_CANCELLED"
        await job
        await agent.aclose()


async def test_a_line_that_is_no_record_is_told_and_the_result_counts(tmp_path: Path) -> None:
    """Junk in the output is a warning for people, not the job's end."""

    def script(given: ScriptCall, write: Write, stopped: threading.Event) -> None:
        write("VERBOSE: hello")
        write(result(ok=True))

    with site(tmp_path, script) as host:
        agent, listener = host.agent(), Listener()
        assert await listener.run(agent, call()) == {"ok": True}
        await agent.aclose()
    (entry,) = listener.records
    assert isinstance(entry, Log)
    assert (entry.level, "VERBOSE: hello" in entry.message) == ("warning", True)


async def test_an_unknown_host_is_not_found_and_a_stopped_agent_says_so(tmp_path: Path) -> None:
    """A host id that the configuration does not have is HOST_NOT_FOUND; after aclose it is AGENT_STOPPING."""
    with site(tmp_path) as host:
        agent = host.agent()
        with pytest.raises(AethervError) as caught:
            await agent.read_inventory("nowhere")
        assert caught.value.id == "HOST_NOT_FOUND"
        await agent.aclose()
        with pytest.raises(AethervError) as stopped:
            await agent.read_inventory("hv1")
        assert stopped.value.id == "AGENT_STOPPING"
