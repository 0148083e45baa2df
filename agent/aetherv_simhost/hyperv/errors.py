"""What the model refuses, as Hyper-V or Windows would. A back-end turns these into its own script's errors."""


class HyperVError(Exception):
    """The model refuses an act; the text is for people and holds no secret."""


class VmNotFound(HyperVError):  # noqa: N818  # reads as what happened
    """No VM has this id."""


class InvalidState(HyperVError):  # noqa: N818  # reads as what happened
    """The VM's state does not allow the act."""


class OutOfMemory(HyperVError):  # noqa: N818  # reads as what happened
    """The host has not enough memory to start the VM."""


class KvpRefused(HyperVError):  # noqa: N818  # reads as what happened
    """AddKvpItems, ModifyKvpItems or RemoveKvpItems failed as a whole.

    Args:
        code: The method's ReturnValue, such as 32773 (invalid parameter).
        message: What was refused.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class FileError(HyperVError):
    """A file operation failed; ``path`` is the Windows path."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}")
        self.path = path


class FileMissing(FileError):  # noqa: N818  # reads as what happened
    """The file or folder is not there."""


class FileThere(FileError):  # noqa: N818  # reads as what happened
    """The file or folder is there already."""


class FileInUse(FileError):  # noqa: N818  # reads as what happened
    """The file is open in another process: a running VM's disk, a mounted ISO."""


class DiskFull(FileError):  # noqa: N818  # reads as what happened
    """The volume has no room."""


class PathInvalid(FileError):  # noqa: N818  # reads as what happened
    """The path cannot be used: unknown drive, relative, or a name that Windows does not allow."""


class ClusterRefused(HyperVError):  # noqa: N818  # reads as what happened
    """The cluster refuses the act."""
