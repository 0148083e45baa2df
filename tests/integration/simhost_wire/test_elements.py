"""Answers have the elements that captures of real Windows have (pypsrp's own test fixtures)."""

import xml.etree.ElementTree as ET

from pypsrp.complex_objects import PSInvocationState
from pypsrp.powershell import RunspacePool
from pypsrp.shell import WinRS
from pypsrp.wsman import NAMESPACES, SelectorSet
from support.simhost_site import Site, command, run

RUNNING = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/CommandState/Running"
SHELL = [
    "ShellId",
    "ResourceUri",
    "Owner",
    "ClientIP",
    "ProcessId",
    "IdleTimeOut",
    "InputStreams",
    "OutputStreams",
    "MaxIdleTimeOut",
    "Locale",
    "DataLocale",
    "CompressionMode",
    "ProfileLoaded",
    "Encoding",
    "BufferMode",
    "State",
    "ShellRunTime",
    "ShellInactivity",
]
LISTED = [*SHELL, "MemoryUsed", "ChildProcesses"]


def names(parent: ET.Element) -> list[str]:
    """The names of an element's children, in order."""
    return [child.tag.rpartition("}")[2] for child in parent]


def found(parent: ET.Element, path: str) -> ET.Element:
    """The element at a path."""
    element = parent.find(path, NAMESPACES)
    assert element is not None
    return element


def test_create(https: Site) -> None:
    """Create describes the shell that was made."""
    with https.wsman() as connection:
        shell = WinRS(connection, id="0A2B5C80-0000-4000-8000-000000000001", idle_time_out=30, name="n")
        answer = shell.open()
        assert answer is not None
        assert names(answer) == ["ResourceCreated", "Shell"]
        assert "ProcessId" not in names(answer[1])
        assert str(shell.idle_time_out) == "PT30.000S"
        assert shell.id == "0A2B5C80-0000-4000-8000-000000000001"
        shell.close()
    with https.pool() as pool:
        assert pool.shell.owner == "admin"
        assert pool.shell.client_ip == "127.0.0.1"
        assert str(pool.shell.idle_time_out) == "PT7200.000S"
        assert pool.shell.output_streams == "stdout"


def test_get_and_enumerate(https: Site) -> None:
    """Get and Enumerate list shells and commands with their state."""
    with https.pool() as pool:
        resource = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
        selectors = SelectorSet()
        selectors.add_option("ShellId", pool.id)
        got = pool.connection.get(resource, selector_set=selectors)
        listed = pool.connection.enumerate(resource, ET.Element("x"))
        assert names(found(got, "rsp:Shell")) == LISTED
        assert names(found(listed, "wsen:EnumerateResponse/wsman:Items/rsp:Shell")) == LISTED
        empty = pool.connection.enumerate(f"{resource}/Command", ET.Element("x"))
        assert names(found(empty, "wsen:EnumerateResponse")) == ["EnumerationContext", "EndOfSequence"]
        command(pool, "Wait").begin_invoke()
        commands = pool.connection.enumerate(f"{resource}/Command", ET.Element("x"))
        one = found(commands, "wsen:EnumerateResponse/wsman:Items/rsp:Command")
        assert names(one) == ["CommandId", "CommandLine", "CommandState"]
        assert one.findtext("rsp:CommandState", namespaces=NAMESPACES) == "Running"
        pool.disconnect()
        state = found(pool.connection.get(resource, selector_set=selectors), "rsp:Shell/rsp:State")
        assert state.text == "Disconnected"
        pool.connect()


def test_receive(https: Site) -> None:
    """A Receive names its command and the command's state."""
    with https.pool() as pool:
        shell = command(pool, "Wait")
        shell.begin_invoke()
        state, code, streams = pool.shell.receive("stdout", shell.id)
        assert (state, code) == (RUNNING, None)
        assert list(streams) == ["stdout"]
        https.backend.release.set()
        state, code, streams = pool.shell.receive("stdout", shell.id)
        assert (state.rpartition("/")[2], code) == ("Done", 0)


def test_the_first_pipeline_of_a_pool_reports_progress(https: Site) -> None:
    """Windows PowerShell's own record comes once in a pool, before the script's output."""
    with https.pool() as pool:
        first = run(pool, "Echo")
        second = run(pool, "Echo")
    (record,) = first.streams.progress
    assert (record.activity, record.activity_id) == ("Preparing modules for first use.", 0)
    assert second.streams.progress == []
    assert second.state == PSInvocationState.COMPLETED


def test_the_server_says_what_it_speaks(https: Site) -> None:
    """The pool's versions are Windows PowerShell's."""
    with https.wsman() as connection:
        pool = RunspacePool(connection)
        pool.open()
        assert (pool.protocol_version, pool.serialization_version) == ("2.3", "1.1.0.1")
        assert connection.max_envelope_size == 512000
        pool.close()
