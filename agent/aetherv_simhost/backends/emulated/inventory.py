"""``Get-HostInventory.ps1``: everything of one host in one answer."""

from collections.abc import Callable
from typing import Any

from aetherv_agent import contracts

from aetherv_simhost.backends.api import ScriptCall
from aetherv_simhost.backends.emulated import places
from aetherv_simhost.backends.emulated.document import Document, read_document
from aetherv_simhost.backends.emulated.failures import JobFailed, failure_of
from aetherv_simhost.backends.emulated.job import error_outcome
from aetherv_simhost.backends.emulated.journal import Jobs
from aetherv_simhost.backends.emulated.records import Records, timestamp
from aetherv_simhost.backends.emulated.validate import judge_host
from aetherv_simhost.backends.emulated.vm_record import vm_record
from aetherv_simhost.hyperv.errors import HyperVError
from aetherv_simhost.hyperv.host import HyperVHost


class InventoryScript:
    """The script on one host; ``ended`` as for `Jobs`."""

    def __init__(self, host: HyperVHost, ended: dict[str, int]) -> None:
        self._host = host
        self._ended = ended

    def run(self, call: ScriptCall, write: Callable[[str], None]) -> None:
        """Runs one call: one record, the last."""
        records = Records(write, "")
        try:
            document = read_document("inventory", call)
            judge_host(self._host)
            result = self._result(document)
        except JobFailed as failure:
            records.outcome(error_outcome(failure))
        except HyperVError as error:
            records.outcome(error_outcome(failure_of(error)))
        else:
            records.outcome({"kind": "result", "result": result})

    def _result(self, document: Document) -> dict[str, Any]:
        host, settings = self._host, document.host
        wanted = {str(i).lower() for i in document.raw.get("ids") or ()}
        return {
            "host": self._facts(document),
            "vms": [vm_record(host, vm) for vm in host.vms() if not wanted or vm.id in wanted],
            "images": [
                {
                    "image_name": places.image_name(path),
                    "path": path,
                    "size_bytes": host.files.size(path),
                    "update_time": timestamp(host.files.changed(path)),
                }
                for path in places.image_files(host.files, settings)
                if path.casefold().endswith(".vhdx")
            ],
            "switches": [{"name": name, "type": kind} for name, kind in host.settings.switches.items()],
            "volumes": [
                {"path": mount, "size_bytes": size, "free_bytes": free}
                for mount, (size, free) in host.files.volumes().items()
            ],
            "isos": self._isos(document),
            "jobs": self._jobs(document),
        }

    def _facts(self, document: Document) -> dict[str, Any]:
        host = self._host
        facts: dict[str, Any] = {
            "computer_name": host.computer_name,
            "os_version": host.settings.os_version,
            "scripts_version": contracts.scripts_version(),
            "cpu_count": host.settings.cpu_count,
            "memory_bytes": host.settings.memory_bytes,
            "memory_free_bytes": host.memory_free(),
            "vm_path": places.vm_root(host, document.host),
        }
        cluster = host.cluster
        return facts | ({"cluster": cluster.name, "node_state": cluster.node_state} if cluster.name else {})

    def _isos(self, document: Document) -> list[dict[str, Any]]:
        found = []
        for family in ("linux", "windows"):
            path = places.iso_path(document.host, family)
            if self._host.files.exists(path):
                version = places.iso_version(self._host.files, document.host, family)
                found.append({"family": family, "path": path, **({"version": version} if version else {})})
        return found

    def _jobs(self, document: Document) -> list[dict[str, Any]]:
        jobs = Jobs(self._host.files, document.host.jobs_directory, self._ended)
        found = []
        for journal in jobs.open():
            state = journal["state"] if jobs.running(journal["job_id"]) else "interrupted"
            job = {name: journal[name] for name in ("job_id", "script", "vm_name", "step", "reserved_bytes")}
            found.append({**job, "state": state, **({"vm_id": journal["vm_id"]} if journal["vm_id"] else {})})
        return found
