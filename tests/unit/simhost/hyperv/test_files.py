"""Windows paths and files, with what Windows does and Linux does not."""

from __future__ import annotations

from pathlib import Path

import pytest
from aetherv_simhost.hyperv import paths
from aetherv_simhost.hyperv.errors import (
    DiskFull,
    FileError,
    FileInUse,
    FileMissing,
    FileThere,
    PathInvalid,
)
from aetherv_simhost.hyperv.files import HostFiles

VOLUMES = {"C:\\": 1 << 20, "C:\\ClusterStorage\\Volume1\\": 1 << 16, r"C:\ClusterStorage\Volume10": 1 << 30}


@pytest.fixture
def files(tmp_path: Path) -> HostFiles:
    """Files of a host on which one file is open."""
    return HostFiles(tmp_path, VOLUMES, lambda: frozenset({r"c:\vms\open.vhdx"}))


def test_letter_case_means_nothing(files: HostFiles) -> None:
    """A path finds its file in any letter case, and the file keeps the case that it was made with."""
    files.make_dir(r"C:\Some Folder\Inner")
    files.write_text(r"c:\SOME folder\inner\File.TXT", "x")
    assert files.read_text(r"C:\some folder\INNER\file.txt") == "x"
    assert files.entries(r"C:\SOME FOLDER\Inner") == [r"C:\SOME FOLDER\Inner\File.TXT"]


@pytest.mark.parametrize(
    "path",
    [
        "",
        "relative",
        r"Q:\x",
        r"C:relative",
        r"C:\a\..\b",
        "C:\\a\x00b",
        r"C:\a/b",
        r"C:\a:b",
        r"\\server\share",
        r"C:\ends. \x",
    ],
)
def test_paths_that_windows_refuses(files: HostFiles, path: str) -> None:
    """Nothing leaves the host's drives."""
    with pytest.raises(PathInvalid):
        files.exists(path)


def test_wildcards_find_folders(files: HostFiles) -> None:
    """A pattern may have wildcards in its names; brackets are not wildcards."""
    files.make_dir(r"C:\ClusterStorage\Volume1\DiskImages")
    files.make_dir(r"C:\ClusterStorage\Volume10\diskimages")
    files.make_dir(r"C:\ClusterStorage\[x]")
    assert files.find(r"C:\ClusterStorage\*\DiskImages") == [
        r"C:\ClusterStorage\Volume1\DiskImages",
        r"C:\ClusterStorage\Volume10\diskimages",
    ]
    assert files.find(r"C:\ClusterStorage\[x]") == [r"C:\ClusterStorage\[x]"]
    assert files.find(r"C:\none\*") == []


def test_open_files_cannot_be_deleted_or_renamed(files: HostFiles) -> None:
    """Linux would allow it; Windows says that another process has the file."""
    files.make_dir(r"C:\VMs")
    files.create(r"C:\VMs\Open.vhdx", 10).close()
    with pytest.raises(FileInUse):
        files.delete(r"C:\VMs\OPEN.vhdx")
    with pytest.raises(FileInUse):
        files.rename(r"C:\VMs\open.vhdx", r"C:\VMs\b")
    assert not files.can_open_alone(r"C:\VMs\Open.vhdx")


def test_a_held_file_is_free_again(files: HostFiles) -> None:
    """A backup lets go of a file, and files of a removed VM are free after a moment."""
    files.write_text(r"C:\a.txt", "x")
    files.hold(r"C:\A.txt", "backup")
    assert not files.can_open_alone(r"C:\a.txt")
    files.hold(r"C:\a.txt", None)
    files.lock_for([r"C:\a.txt"], 0.0)
    files.delete(r"C:\a.txt")
    with pytest.raises(FileMissing):
        files.delete(r"C:\a.txt")


def test_space_is_counted_per_volume(files: HostFiles) -> None:
    """The longest mount path that holds a file is its volume; a full one says so."""
    assert files.mount_of(r"c:\clusterstorage\volume1\x") == r"C:\ClusterStorage\Volume1"
    assert files.mount_of(r"C:\ClusterStorage\Volume100") == "C:\\"
    files.create(r"C:\ClusterStorage\Volume1\a", 60_000).close()
    assert files.free(r"C:\ClusterStorage\Volume1") == (1 << 16) - 60_000
    assert files.free("C:\\") == 1 << 20
    with pytest.raises(DiskFull):
        files.create(r"C:\ClusterStorage\Volume1\b", 10_000)
    assert not files.exists(r"C:\ClusterStorage\Volume1\b")


def test_what_is_there_is_not_made_again(files: HostFiles) -> None:
    """A new file or folder must be new, and a folder goes only when it is empty."""
    files.make_dir(r"C:\a", new=True)
    files.create(r"C:\a\b", 1).close()
    with pytest.raises(FileThere):
        files.make_dir(r"C:\A", new=True)
    with pytest.raises(FileThere):
        files.create(r"C:\a\B", 1)
    with pytest.raises(FileError, match="not empty"):
        files.delete_dir(r"C:\a")


def test_names_longer_than_the_disk_takes(files: HostFiles) -> None:
    """A name that no disk takes is a path error, never an exception of the system."""
    with pytest.raises(PathInvalid):
        files.create("C:\\" + "\u00e4" * 200, 1)


def test_the_pure_helpers() -> None:
    """Joining, parents and what lies in what."""
    assert paths.join("C:\\", "a", "b") == r"C:\a\b"
    assert [paths.parent(p) for p in (r"C:\a\b", r"C:\a", "C:\\")] == [r"C:\a", "C:\\", "C:\\"]
    assert paths.within(r"C:\A\b", r"c:\a")
    assert not paths.within(r"C:\ab", r"C:\a")
    assert paths.same("C:\\A\\", r"c:\a")
