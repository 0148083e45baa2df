"""Records and typed errors: one JSON line each, the same in both editions, read by the agent's own reader."""

from __future__ import annotations

import json
from typing import Any

from aetherv_agent import contracts
from aetherv_agent.core.results import Log, Progress, ScriptError, parse_record

HOSTILE = "a' \" `$(x) <>& \u00e4\u2028\U0001f600 \x7f\t\n]]> \\u0041 %s"


def test_records_are_ascii_lines_that_the_agent_reads(pwsh: Any) -> None:
    """Progress, log and error carry their values as text, long and bool, with everything escaped."""
    script = """
    $writer = New-RecordWriter -JobId 'j-1'
    $writer.VmId = 'v'
    Write-JobProgress -Writer $writer -Step copy_image -State started -Attempt 2
    Write-JobProgress -Writer $writer -Step copy_image -State running -Attempt 2 -DoneBytes 5 -TotalBytes 9
    Write-JobProgress -Writer $writer -Step copy_image -State running -Attempt 2 -DoneBytes 6 -TotalBytes 9
    Write-JobProgress -Writer $writer -Step copy_image -State running -Attempt 2 -DoneBytes 9 -TotalBytes 9
    Write-JobLog -Writer $writer -Level warning -Message $data -Reason R -Field vm_name
    Write-JobRecord -Writer $writer -Record (ConvertTo-ErrorOutcome -Step publish -ErrorRecord (
            New-JobError -Id GUEST_FAILED -Message $data -GuestState failed -GuestMessage $data))
    $writer.Lines
    """
    lines = pwsh.run(script, HOSTILE)
    assert all(line.isascii() for line in lines)
    records = [parse_record(line) for line in lines]
    progress = [(r.state, r.attempt, r.done_bytes, r.vm_id) for r in records if isinstance(r, Progress)]
    assert progress == [("started", 2, 0, "v"), ("running", 2, 5, "v"), ("running", 2, 9, "v")]
    log, error = records[-2:]
    assert isinstance(log, Log)
    assert (log.message, log.reason, log.field) == (HOSTILE, "R", "vm_name")
    assert isinstance(error, ScriptError)
    assert (error.id, error.category, error.step, error.retryable) == (
        "GUEST_FAILED",
        "precondition",
        "publish",
        False,
    )
    assert (error.guest_state, error.guest_message) == ("failed", HOSTILE)


def test_every_error_id_of_the_scripts_is_one_of_the_contract(pwsh: Any) -> None:
    """An id's category and retryable are the contract's."""
    rules = [e for e in contracts.document("errors")["errors"] if "script" in e["by"]]
    script = "foreach ($id in $data) { Write-Answer (ConvertTo-ErrorOutcome -ErrorRecord (New-JobError -Id $id -Message m)) }"
    answers = pwsh.answers(script, [rule["id"] for rule in rules])
    assert [(a["id"], a["category"], a["retryable"]) for a in answers] == [
        (rule["id"], rule["category"], rule["retryable"]) for rule in rules
    ]


def test_an_unexpected_error_tells_its_kind_and_no_text(pwsh: Any) -> None:
    """The text of an error that nobody expected may hold a secret."""
    [answer] = pwsh.answers("Write-Answer (Get-Failure { throw 'Sehr-geheim-4711' })")
    assert answer["id"] == "SCRIPT_ERROR"
    assert "4711" not in json.dumps(answer)


def test_lists_of_none_and_one_stay_lists(pwsh: Any) -> None:
    """Empty lists, lists of one and nested ones are written as lists in both editions."""
    value = {"a": [], "b": [1], "c": [[], [[1]]], "d": {}, "e": [{"x": []}]}
    assert pwsh.answers("Write-Answer $data", value) == [value]
