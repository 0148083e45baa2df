"""How a job ends that does not succeed. Ids are those of ``host_scripts/contracts/errors.json``."""

from aetherv_agent import contracts

from aetherv_simhost.hyperv import errors as model


class JobFailed(Exception):  # noqa: N818  # reads as what happened
    """A typed failure of a job.

    Args:
        error_id: An id of the contract.
        message: What was done to what, with the facts; no secret.
        field: The field concerned, by its contract name.
        guest_state: What the guest said last, as in ``records.json``.
        guest_message: The guest's own text.
    """

    def __init__(
        self, error_id: str, message: str, *, field: str = "", guest_state: str = "", guest_message: str = ""
    ) -> None:
        super().__init__(message)
        rule = contracts.error_rules()[error_id]
        self.id = error_id
        self.category = rule.category
        self.retryable = rule.retryable
        self.message = message
        self.field = field
        self.guest_state = guest_state
        self.guest_message = guest_message


class PipelineStopped(Exception):  # noqa: N818  # reads as what happened
    """The client stopped the pipeline, or the host went down: nothing is written and nothing is undone."""


def failure_of(error: model.HyperVError, *, otherwise: str = "HYPERV_ERROR") -> JobFailed:
    """The typed failure for what the model refused.

    Args:
        error: The refusal.
        otherwise: The id for a refusal that none fits better.
    """
    table: tuple[tuple[type[model.HyperVError], str], ...] = (
        (model.DiskFull, "DISK_FULL"),
        (model.FileInUse, "FILE_LOCKED"),
        (model.PathInvalid, "PATH_INVALID"),
        (model.FileError, "FILE_ERROR"),
        (model.OutOfMemory, "MEMORY_INSUFFICIENT"),
        (model.KvpRefused, "KVP_FAILED"),
        (model.VmNotFound, "VM_NOT_FOUND"),
        (model.ClusterRefused, "CLUSTER_ROLE_FAILED"),
    )
    found = next((name for kind, name in table if isinstance(error, kind)), otherwise)
    return JobFailed(found, str(error))
