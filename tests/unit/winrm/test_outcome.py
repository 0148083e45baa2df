"""What a pipeline's output and end mean together, and what is saved of a pipeline."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from aetherv_agent.core.errors import AethervError
from aetherv_agent.core.results import Log, Progress
from aetherv_agent.winrm.outcome import Ending, Output, PowerShellError, Transcript
from aetherv_agent.winrm.saved import SavedShell, ShellIds
from support.winrm_site import call, error, progress, result

NOW = datetime(2026, 1, 2, tzinfo=UTC)
PATH = r"C:\Program Files\Aether-V\scripts\1\Invoke.ps1"
IDS = ShellIds("session", "shell", "pool", "command", "http://uri")


def transcript(*outputs: Output) -> Transcript:
    """A transcript that has read some output."""
    made = Transcript("hv1", PATH)
    for output in outputs:
        made.read(output, NOW)
    return made


def failed(reason: str, target: str, error_id: str = "X") -> Output:
    """The end of a pipeline that PowerShell ended."""
    return Output(errors=(PowerShellError(error_id, reason, target, "texte localisé"),), ending=Ending.FAILED)


def test_progress_comes_out_and_the_result_stays() -> None:
    """A result is no record for listeners; it is what the job returns, whatever else follows."""
    made = Transcript("hv1", PATH)
    (told,) = made.read(Output((progress("publish"), "", result(a=1))), NOW)
    assert isinstance(told, Progress)
    (warning,) = made.read(Output(errors=(PowerShellError("X", "", "", "odd"),)), NOW)
    assert isinstance(warning, Log)
    assert warning.level == "warning"
    assert made.result(Ending.UNKNOWN, lossy=True).result == {"a": 1}


@pytest.mark.parametrize("ending", list(Ending))
def test_a_typed_error_counts_however_the_pipeline_ended(ending: Ending) -> None:
    """The script's own word is stronger than the pipeline's state."""
    with pytest.raises(AethervError) as caught:
        transcript(Output((error("DISK_FULL"),))).result(ending, lossy=True)
    assert (caught.value.id, caught.value.host_answered) == ("DISK_FULL", True)


@pytest.mark.parametrize(
    ("output", "lossy", "error_id", "answered"),
    [
        (failed("CommandNotFoundException", PATH.upper()), False, "SCRIPTS_MISMATCH", True),
        (failed("", "", "CommandNotFoundException,X"), False, "SCRIPTS_MISMATCH", True),
        (failed("CommandNotFoundException", "Get-Nonsense"), False, "SCRIPT_ERROR", True),
        (failed("RuntimeException", "x"), True, "SCRIPT_ERROR", True),
        (Output(ending=Ending.STOPPED), False, "HOST_RESULT_LOST", False),
        (Output(ending=Ending.UNKNOWN), False, "HOST_RESULT_LOST", False),
        (Output(ending=Ending.COMPLETED), True, "HOST_RESULT_LOST", False),
        (Output(ending=Ending.COMPLETED), False, "HOST_PROTOCOL_ERROR", False),
        (Output(("no record",), ending=Ending.COMPLETED), False, "HOST_PROTOCOL_ERROR", False),
        (Output(ending=Ending.FAILED), False, "HOST_PROTOCOL_ERROR", False),
    ],
)
def test_an_end_without_a_word_of_the_script(
    output: Output, lossy: bool, error_id: str, answered: bool
) -> None:
    """What PowerShell said is the host's answer; what did not reach us is not."""
    assert output.ending is not None
    with pytest.raises(AethervError) as caught:
        transcript(output).result(output.ending, lossy=lossy)
    assert (caught.value.id, caught.value.host_answered) == (error_id, answered)
    assert caught.value.metadata["host"] == "hv1"


def test_a_saved_shell_is_json_and_comes_back() -> None:
    """What is written to a row is flat JSON and gives the same value again."""
    saved = SavedShell.of("hv1", call("job-1", secrets={"guest_la_pw": "s3cret"}), IDS, fed=True)
    raw = json.loads(json.dumps(saved.to_json()))
    assert SavedShell.from_json(raw) == saved
    assert raw["session_id"] == "session"
    assert "s3cret" not in json.dumps(raw)


@pytest.mark.parametrize("raw", [None, {}, {"host": "hv1"}, {"session_id": 1}])
def test_what_another_version_saved_is_nothing(raw: dict[str, object] | None) -> None:
    """An unreadable mapping means that there is no pipeline to take up."""
    assert SavedShell.from_json(raw) is None


def test_only_the_very_call_takes_a_saved_shell_up() -> None:
    """Host, job, script and purpose must be the same."""
    saved = SavedShell.of("hv1", call("j"), IDS, fed=True)
    assert saved.is_of("hv1", call("j"))
    assert not saved.is_of("hv2", call("j"))
    assert not saved.is_of("hv1", call("k"))
    assert not saved.is_of("hv1", call("j", cancel=True))
    assert not saved.is_of("hv1", call("j", script="delete"))
