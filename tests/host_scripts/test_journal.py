"""Journals, locks, cancel files and copy slots, with a second process where two are needed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

SAVE = """
$journal = New-Journal -JobId j-1 -Script create -VmName 'a [b]'
for ($i = 0; $i -lt 20; $i++) { $journal['step'] = "s$i"; Save-Journal -Folder $env:JOBS -Journal $journal }
$read = Read-Journal -Folder $env:JOBS -JobId j-1
Write-Answer @($read['step'], $read['vm_name'], @(Get-OpenJournal -Folder $env:JOBS).Count)
$journal['state'] = 'ended'
Save-Journal -Folder $env:JOBS -Journal $journal
Write-Answer @(@(Get-OpenJournal -Folder $env:JOBS).Count, ($null -eq (Read-Journal -Folder $env:JOBS -JobId nobody)))
"""


def _jobs(tmp_path: Path) -> Path:
    folder = tmp_path / "jobs [1]"
    folder.mkdir()
    return folder


def test_a_journal_is_written_replaced_and_read(pwsh: Any, tmp_path: Path) -> None:
    """The first write makes the file, each further one replaces it whole; nothing else stays in the folder."""
    folder = _jobs(tmp_path)
    assert pwsh.answers(SAVE, JOBS=str(folder)) == [["s19", "a [b]", 1], [0, True]]
    assert sorted(file.name for file in folder.iterdir()) == ["j-1.json"]
    journal = json.loads((folder / "j-1.json").read_text("ascii"))
    assert (journal["format"], journal["state"], journal["made"]) == (1, "ended", [])


def test_a_newer_or_broken_journal_is_refused(pwsh: Any, tmp_path: Path) -> None:
    """JOURNAL_NEWER for a format that is not known; a journal that can't be read is an error, never a fresh start."""
    folder = _jobs(tmp_path)
    (folder / "new.json").write_text('{"format": 99, "state": "running"}')
    (folder / "bad.json").write_text('{"format"')
    script = """
    foreach ($id in 'new', 'bad') { Write-Answer (Get-Failure { Read-Journal -Folder $env:JOBS -JobId $id }) }
    Write-Answer @(Get-OpenJournal -Folder $env:JOBS).Count
    """
    newer, broken, open_jobs = pwsh.answers(script, JOBS=str(folder))
    assert (newer["id"], broken["id"], open_jobs) == ("JOURNAL_NEWER", "FILE_ERROR", 1)


def test_a_lock_is_held_until_its_process_is_killed(pwsh: Any, tmp_path: Path) -> None:
    """A second run of a job does not get its lock while the first lives, and gets it at once after a kill."""
    folder = _jobs(tmp_path)
    holder = pwsh.start(
        "$lock = Enter-JobLock -Folder $env:JOBS -JobId j; 'held'; [void] [Console]::In.ReadLine(); $lock.Dispose()",
        JOBS=str(folder),
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == "held"
        look = """
        Write-Answer @((Test-JobRunning -Folder $env:JOBS -JobId j), ($null -eq (Enter-JobLock -Folder $env:JOBS -JobId j)))
        """
        assert pwsh.answers(look, JOBS=str(folder)) == [[True, True]]
    finally:
        holder.kill()
        holder.communicate()
    assert pwsh.answers(look, JOBS=str(folder)) == [[False, False]]


def test_copy_slots_are_as_many_as_the_setting_says(pwsh: Any, tmp_path: Path) -> None:
    """With two slots the third copy gets none, and one that is let go is taken again."""
    script = """
    $a = Enter-CopySlot -Folder $env:JOBS -Copies 2
    $b = Enter-CopySlot -Folder $env:JOBS -Copies 2
    $c = Enter-CopySlot -Folder $env:JOBS -Copies 2
    $a.Dispose()
    $d = Enter-CopySlot -Folder $env:JOBS -Copies 2
    Write-Answer @(($null -ne $b), ($null -eq $c), ($null -ne $d))
    """
    assert pwsh.answers(script, JOBS=str(_jobs(tmp_path))) == [[True, True, True]]


def test_a_cancel_says_what_is_to_stand(pwsh: Any, tmp_path: Path) -> None:
    """The cancel file holds the policy; a person's empty file means rollback."""
    folder = _jobs(tmp_path)
    (folder / "p.cancel").write_text("")
    script = """
    Set-CancelRequest -Folder $env:JOBS -JobId j -Policy keep
    Set-CancelRequest -Folder $env:JOBS -JobId j -Policy keep_after_publish
    Write-Answer @('j', 'p', 'nobody' | ForEach-Object { Get-CancelRequest -Folder $env:JOBS -JobId $_ })
    """
    assert pwsh.answers(script, JOBS=str(folder)) == [["keep_after_publish", "rollback", ""]]


def test_a_step_is_noted_and_a_follower_tells_the_same(pwsh: Any, tmp_path: Path) -> None:
    """Steps stand in the journal with their attempt; a second start that follows relays them and the outcome."""
    script = """
    $text = '{"schema":{"id":"vm-provisioning","version":1},"job_id":"j-1","fields":{},"host":{"jobs_directory":"' + $env:JOBS.Replace('\\', '\\\\') + '"}}'
    $job = New-Job -Document (ConvertTo-JobDocument -Kind create -Text $text) -Writer (New-RecordWriter -JobId j-1)
    $job.Journal = New-Journal -JobId j-1 -Script create -VmName n
    Invoke-JobStep -Job $job -Name copy_image -Action { 'output goes nowhere' }
    $failure = Get-Failure { Invoke-JobStep -Job $job -Name copy_iso -Action { throw (New-JobError -Id ISO_NOT_FOUND -Message m) } }
    Invoke-JobStep -Job $job -Name copy_image -Action { throw 'is done already' }
    $journal = Read-Journal -Folder $env:JOBS -JobId j-1
    Write-Answer @($failure['id'], $journal['steps']['copy_image']['state'], $journal['steps']['copy_iso']['state'], $journal['error']['id'])
    $job.Journal['state'] = 'ended'
    $job.Journal['outcome'] = $journal['error']
    Save-Job -Job $job
    $follower = New-Job -Document $job.Document -Writer (New-RecordWriter -JobId j-1)
    $seen = @{}
    $outcome = Write-JobRelay -Job $follower -Seen $seen
    [void] (Write-JobRelay -Job $follower -Seen $seen)
    Write-Answer $outcome['id']
    Write-Answer @($follower.Writer.Lines | ForEach-Object { $r = ConvertFrom-JsonText -Text $_; $r['step'] + ' ' + $r['state'] })
    """
    answers = pwsh.answers(script, JOBS=str(_jobs(tmp_path)))
    assert answers == [
        ["ISO_NOT_FOUND", "done", "failed", "ISO_NOT_FOUND"],
        "ISO_NOT_FOUND",
        ["copy_image started", "copy_image done", "copy_iso started", "copy_iso failed"],
    ]
