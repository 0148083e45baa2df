"""Files that the model has open: Linux would let a script delete, rename or overwrite them, Windows does not."""

import pytest
from support.pwsh_site import Console

FOLDER = r"C:\VMs\open"
COMMANDS = "Microsoft.PowerShell.Commands"


@pytest.fixture(scope="module")
def running(shell: Console) -> Console:
    """A shell on a host with a running VM."""
    shell.run(
        rf"""
        $global:open = New-VM -Name open -MemoryStartupBytes 1GB -Generation 2 -Path C:\VMs
        Copy-Item 'C:\ClusterStorage\Volume1\DiskImages\Debian 12.vhdx' {FOLDER}\disk.vhdx
        Copy-Item 'C:\Program Files\Aether-V\LinuxProvisioning.iso' {FOLDER}\seed.iso
        Add-VMHardDiskDrive -VM $open -Path {FOLDER}\disk.vhdx
        Add-VMDvdDrive -VM $open -Path {FOLDER}\seed.iso
        Set-Content {FOLDER}\free.txt free
        Start-VM -VM $open
        """
    )
    return shell


@pytest.mark.parametrize(
    ("call", "error_id", "text"),
    [
        (
            rf"Remove-Item -LiteralPath {FOLDER}\disk.vhdx",
            f"RemoveFileSystemItemIOError,{COMMANDS}.RemoveItemCommand",
            rf"Cannot remove item {FOLDER}\disk.vhdx: The process cannot access the file 'disk.vhdx' because it is",
        ),
        (
            rf"Remove-Item -Recurse -Force {FOLDER}",
            f"RemoveFileSystemItemIOError,{COMMANDS}.RemoveItemCommand",
            "being used by another process.",
        ),
        (
            rf"Move-Item {FOLDER}\seed.iso C:\seed.iso",
            f"MoveFileInfoItemIOError,{COMMANDS}.MoveItemCommand",
            "The process cannot access the file because it is being used by another process.",
        ),
        (
            rf"Rename-Item -LiteralPath {FOLDER}\disk.vhdx -NewName other.vhdx",
            f"RenameItemIOError,{COMMANDS}.RenameItemCommand",
            "being used by another process.",
        ),
        (
            rf"Copy-Item {FOLDER}\disk.vhdx C:\copy.vhdx",
            f"CopyFileInfoItemIOError,{COMMANDS}.CopyItemCommand",
            rf"The process cannot access the file '{FOLDER}\disk.vhdx' because it is being used by another process.",
        ),
        (
            rf"Copy-Item {FOLDER}\free.txt {FOLDER}\disk.vhdx",
            f"CopyFileInfoItemIOError,{COMMANDS}.CopyItemCommand",
            "being used by another process.",
        ),
        (
            rf"Get-Item {FOLDER}\*.vhdx | Remove-Item",
            f"RemoveFileSystemItemIOError,{COMMANDS}.RemoveItemCommand",
            "being used by another process.",
        ),
    ],
)
def test_an_open_file_stays(running: Console, call: str, error_id: str, text: str) -> None:
    """Each item cmdlet ends with the error record of a sharing violation, and the file stays what it was."""
    disk = running.site.backend.host.files.real(rf"{FOLDER}\disk.vhdx")
    before = disk.read_bytes()
    error = running.error(call)
    assert (error["id"], error["category"], error["reason"]) == (error_id, "WriteError", "IOException")
    assert text in error["message"]
    assert disk.read_bytes() == before


def test_letter_case_does_not_hide_an_open_file(running: Console) -> None:
    """The model knows an open file whatever case its path is written in."""
    host = running.site.backend.host
    assert not host.files.can_open_alone(FOLDER.upper() + r"\DISK.vhdx")


def test_an_open_file_cannot_be_opened_alone(running: Console) -> None:
    """.NET's FileShare.None and FileShare.Read fail on a running VM's disk with an IOException."""
    path = running.site.backend.host.files.real(rf"{FOLDER}\disk.vhdx")
    for share in ("None", "Read"):
        error = running.error(f"[IO.File]::Open('{path}', 'Open', 'Read', '{share}').Dispose()")
        assert error["id"] == "IOException"


def test_what_is_not_open_can_be_changed(running: Console) -> None:
    """Other files beside it are copied, renamed, moved and removed as ever, with wildcards and from the pipeline."""
    found = running.value(
        rf"Copy-Item {FOLDER}\free.txt {FOLDER}\copy.txt; Rename-Item {FOLDER}\copy.txt moved.txt;"
        rf" Move-Item -LiteralPath {FOLDER}\moved.txt -Destination C:\moved.txt; Test-Path C:\moved.txt;"
        rf" Remove-Item C:\mov*.txt; Test-Path C:\moved.txt; [string](Get-Content {FOLDER}\free.txt)"
    )
    assert found == [True, False, "free"]
    missing = running.error(r"Remove-Item C:\nothing.txt")
    assert missing["id"] == f"PathNotFound,{COMMANDS}.RemoveItemCommand"


def test_a_stopped_vms_files_are_free(running: Console) -> None:
    """After the VM is off, and a moment more, its disk can be opened alone and removed."""
    path = running.site.backend.host.files.real(rf"{FOLDER}\disk.vhdx")
    found = running.value(
        "Stop-VM -VM $open -TurnOff; Remove-VM -VM $open -Force; $tries = 0;"
        f" while ($true) {{ try {{ [IO.File]::Open('{path}', 'Open', 'ReadWrite', 'None').Dispose(); break }}"
        " catch { $tries++; if ($tries -gt 100) { throw }; Start-Sleep -Milliseconds 50 } };"
        rf" Remove-Item {FOLDER}\disk.vhdx; Test-Path {FOLDER}\disk.vhdx"
    )
    assert found is False
