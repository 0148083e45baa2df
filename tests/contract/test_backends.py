"""The two back-ends of a simulated host answer alike: the real host scripts on PowerShell, and their emulation.

Both get the same jobs in the same order over the wire by an unmodified client. Compared are the records (without times
and a copy's progress), errors, the shape of results, and what then stands on the model of the host.
"""

import dataclasses
import json
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

import pytest
from aetherv_agent import contracts
from aetherv_agent.core.job_document import (
    create_document,
    delete_document,
    inventory_document,
    script_path,
)
from aetherv_agent.core.model import HostSettings, OsFamily, ShutdownMode, VmSpec
from aetherv_simhost.backends.emulated import EmulatedBackend
from aetherv_simhost.backends.pwsh.backend import PwshBackend
from aetherv_simhost.faults import Fault
from aetherv_simhost.hyperv.host import HyperVHost
from aetherv_simhost.serve import HostConfig, SimHostConfig, SimHostServer
from pypsrp.complex_objects import ObjectMeta
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan
from support.pwsh_site import PASSWORD, needs_pwsh

pytestmark = needs_pwsh

AGENT: Final = HostSettings("hv1")
NAMESPACE: Final = uuid.UUID("b2f7a6f2-58cc-4d0b-9d3a-2f1f2a7a9e10")
VOLUME: Final = r"C:\ClusterStorage\Volume1"
MISSING: Final = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
GUEST_PASSWORD: Final = "Sehr-geheim-4711"
JOIN_PASSWORD: Final = "join-" * 20
TIMEOUTS: Final = {"wait_ready": 60, "settle_seconds": 1, "wait_applied": 60, "verify_timeout": 30}
GUESTS: Final = {"boot": 0.04, "poll": 0.01, "apply": 0.05, "retry": 0.02, "deliver": 0.0}
QUICK: Final = {"poll": 0.01, "repeat": 0.1, "settle_scale": 0.001, "release": 0.02, "progress": 0.0}

# What is not the same twice, or not the same on two machines.
VOLATILE: Final = frozenset({"id", "create_time", "started", "number", "mac", "provisioned_life"})

# What is known to differ, by job and what is compared, with the reason. Nothing else may.
KNOWN: Final[Mapping[tuple[str, str], str]] = {}

Records = list[dict[str, Any]]


@dataclass
class Host:
    """One back-end behind the wire, and an open shell of it."""

    model: HyperVHost
    server: SimHostServer
    pool: RunspacePool

    def run(self, kind: str, document: str, secrets: Mapping[str, str] | None = None) -> Records:
        """Calls a script as the agent does and gives its records."""
        shell = PowerShell(self.pool)
        shell.add_cmdlet(script_path(kind, AGENT))
        if secrets is not None:
            self.pool.exchange_keys()
            given = {name: self.pool.serialize(text, ObjectMeta("SS")) for name, text in secrets.items()}
            shell.add_parameter("Secrets", given)
        output = shell.invoke([document])  # type: ignore[arg-type]  # pypsrp takes a list too
        assert [str(error) for error in shell.streams.error] == []
        shell.close()
        return [json.loads(str(line)) for line in output]

    def create(
        self, job: str, on_failure: str = "rollback", *, cancel: bool = False, **values: Any
    ) -> Records:
        """Creates a small Linux VM, or what ``values`` say."""
        usual = {
            "vm_name": job,
            "image_name": "Ubuntu 24.04",
            "gb_ram": 2,
            "cpu_cores": 2,
            "guest_la_uid": "ops",
        }
        spec = VmSpec(**{**usual, **values})
        secrets = {"guest_la_pw": GUEST_PASSWORD}
        if spec.guest_domain_jointarget:
            secrets["guest_domain_joinpw"] = JOIN_PASSWORD
        text = create_document(
            job_id(job), spec, AGENT, on_failure=on_failure, timeouts=TIMEOUTS, cancel=cancel
        )
        return self.run("create", text, None if cancel else secrets)

    def failing(self, job: str, on_failure: str) -> Records:
        """Creates a VM whose guest says that it failed."""
        self.server.faults("hv1").add(Fault("guest_fails", vm_name=job))
        return self.create(job, on_failure)

    def delete(
        self, job: str, name: str, *, keep_disks: bool = False, allow_missing: bool = False
    ) -> Records:
        """Deletes the VM of that name, or one that is not there."""
        found = self.model.named(name)
        text = delete_document(
            job_id(job),
            found[0].id if found else MISSING,
            AGENT,
            shutdown_mode=ShutdownMode.GRACEFUL_THEN_OFF,
            keep_disks=keep_disks,
            allow_missing=allow_missing,
            stop_seconds=5,
        )
        return self.run("delete", text)


# The jobs by name, in the order in which they run.
JOBS: Final[Mapping[str, Callable[[Host], Records]]] = {
    "linux": lambda host: host.create(
        "linux",
        guest_v4_ipaddr="10.1.2.3",
        guest_v4_cidrprefix=24,
        guest_v4_defaultgw="10.1.2.1",
        guest_v4_dns1="10.1.2.2",
        guest_net_dnssuffix="example.com",
        cnf_ansible_ssh_user="ansible",
        cnf_ansible_ssh_key="ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA== ops@example",
        notes="for the tests",
        vlan_id=7,
    ),
    "windows": lambda host: host.create(
        "windows",
        image_name="Windows Server 2022",
        guest_domain_jointarget="example.com",
        guest_domain_joinuid="EXAMPLE\\join",
        guest_domain_joinou="OU=Servers,DC=example,DC=com",
    ),
    "inventory": lambda host: host.run("inventory", inventory_document(AGENT)),
    "name taken": lambda host: host.create("name taken", vm_name="linux"),
    "no image": lambda host: host.create("no-image", image_name="Nothing 1.0", os_family=OsFamily.LINUX),
    "no switch": lambda host: host.create("no-switch", virtual_switch="Nowhere"),
    "guest fails, rollback": lambda host: host.failing("bad-01", "rollback"),
    "guest fails, keep": lambda host: host.failing("bad-02", "keep"),
    "cancel of an unknown job": lambda host: host.create("unknown", cancel=True),
    "delete": lambda host: host.delete("delete", "linux"),
    "delete, disks kept": lambda host: host.delete("delete-kept", "windows", keep_disks=True),
    "delete a missing VM": lambda host: host.delete("delete-missing", "nobody"),
    "delete a missing VM, allowed": lambda host: host.delete("delete-gone", "nobody", allow_missing=True),
}
ENDS: Final = {
    "name taken": "VM_ALREADY_EXISTS",
    "no image": "IMAGE_NOT_FOUND",
    "no switch": "SWITCH_NOT_FOUND",
    "guest fails, rollback": "GUEST_FAILED",
    "guest fails, keep": "GUEST_FAILED",
    "cancel of an unknown job": "JOB_UNKNOWN",
    "delete a missing VM": "VM_NOT_FOUND",
}


def job_id(name: str) -> str:
    """A job's id, the same on both back-ends."""
    return str(uuid.uuid5(NAMESPACE, name))


@dataclass
class Answer:
    """What one back-end gave for one job."""

    records: Records
    state: dict[str, Any] = field(default_factory=dict)

    @property
    def last(self) -> dict[str, Any]:
        """The record that ends the job."""
        return self.records[-1]

    @property
    def steps(self) -> list[tuple[str, ...]]:
        """All records as they follow each other, without a copy's progress and what only debugging reads."""
        keys = ("kind", "step", "state", "level", "reason", "field")
        return [
            tuple(str(record.get(key, "")) for key in keys)
            for record in self.records
            if record.get("state") != "running" and record.get("level") != "debug"
        ]

    @property
    def error(self) -> dict[str, Any]:
        """What an error decides by; empty where there is none."""
        keys = ("id", "category", "step", "retryable", "field", "undone", "guest_state")
        if self.last["kind"] != "error":
            return {}
        found = {key: self.last.get(key) for key in keys}
        found["leftovers"] = sorted(str(thing["kind"]) for thing in self.last.get("leftovers", ()))
        return found


Both = tuple[dict[str, Answer], dict[str, Answer]]


def shape(kind: str, value: Any, where: str = "") -> Any:
    """The keys and types of a value, checked by ``records.json``."""
    known: Mapping[str, Mapping[str, str]] = contracts.document("records")["types"]
    plain = kind.removesuffix("?")
    if plain.endswith("[]"):
        assert isinstance(value, list), where
        seen = [shape(plain[:-2], item, f"{where}[{index}]") for index, item in enumerate(value)]
        return [one for index, one in enumerate(seen) if one not in seen[:index]]
    if plain in known:
        assert isinstance(value, dict), where
        assert set(value) <= set(known[plain]), where
        needed = {name for name, wanted in known[plain].items() if not wanted.endswith("?")}
        assert needed <= set(value), where
        return {name: shape(known[plain][name], item, f"{where}.{name}") for name, item in value.items()}
    python = {"string": str, "time": str, "integer": int, "boolean": bool, "object": dict}[plain]
    assert type(value) is python, f"{where} is {value!r}"
    return sorted(cast("dict[str, Any]", value)) if python is dict else plain


def state_of(host: HyperVHost) -> dict[str, Any]:
    """What stands on a host: VMs, guests, and the files of VMs."""
    named: dict[str, str] = {vm.id: f"<{vm.name}>" for vm in host.vms()}

    def spoken(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: spoken(item) for key, item in value.items() if key not in VOLATILE}
        if isinstance(value, list | tuple):
            return [spoken(item) for item in value]
        if isinstance(value, str):
            for one, name in named.items():
                value = re.sub(re.escape(one), name, value, flags=re.IGNORECASE)
        return value

    vms: dict[str, Any] = {}
    for vm in host.vms():
        found = dataclasses.asdict(vm)
        found["notes"] = [noted(line) for line in vm.notes.splitlines()]
        guest = host.guest(vm.id)
        identity = dataclasses.asdict(guest.identity)
        del identity["domain_password_hash"]
        identity["accounts"] = [
            {name: item for name, item in dataclasses.asdict(account).items() if name != "password_hash"}
            | {"opens": account.password_is(GUEST_PASSWORD)}
            for account in guest.identity.accounts
        ]
        vms[vm.name] = spoken({**found, "guest": identity, "phase": guest.phase})
    root = host.files.real(VOLUME)
    files = sorted(spoken(str(path.relative_to(root))) for path in root.rglob("*")) if root.exists() else []
    return {"vms": vms, "files": files}


def noted(line: str) -> Any:
    """A line of a VM's notes; a mark as its values."""
    prefix = str(contracts.document("records")["mark"]["prefix"])
    return json.loads(line.removeprefix(prefix)) if line.startswith(prefix) else line


def answers(name: str, folder: Path) -> dict[str, Answer]:
    """Gives every job to a back-end."""
    made: list[Any] = []

    def make(chosen: str, *arguments: Any) -> Any:
        assert chosen == name
        made.append(PwshBackend(*arguments) if chosen == "pwsh" else EmulatedBackend(*arguments))
        return made[0]

    model: dict[str, object] = {"image_bytes": 65536, "guest_seconds": GUESTS, "host_seconds": QUICK}
    if name == "pwsh":
        model["pwsh"] = {"edition": "Desktop"}
    config = SimHostConfig((HostConfig("hv1", {"admin": PASSWORD}, model=model),), folder, backend=name)
    with SimHostServer(config, make) as server:
        address, port = server.endpoint("hv1")
        connection = WSMan(
            address,
            port=port,
            username="admin",
            password=PASSWORD,
            auth="basic",
            ssl=True,
            # requests takes a path too.
            cert_validation=cast("bool", str(server.ca_cert)),
            no_proxy=True,
        )
        with connection, RunspacePool(connection) as pool:
            host = Host(made[0].host, server, pool)
            found: dict[str, Answer] = {}
            for job, give in JOBS.items():
                found[job] = Answer(give(host))
                found[job].state = state_of(host.model)
            return found


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Both:
    """Every job's answers: of the emulation, and of the real scripts."""
    emulated = answers("emulated", tmp_path_factory.mktemp("emulated"))
    return emulated, answers("pwsh", tmp_path_factory.mktemp("pwsh"))


def alike(job: str, what: str, emulated: object, real: object) -> None:
    """Equal, or known to differ: then they must."""
    if (job, what) in KNOWN:
        assert emulated != real, f"no longer different: take it out of KNOWN ({job}, {what})"
    else:
        assert emulated == real


def test_both_back_ends_answer_alike(both: Both, subtests: pytest.Subtests) -> None:
    """Of each job steps and warnings come in the same order, the end is the same, and the same stands on both hosts."""
    # One test: its hosts are started once, on one worker.
    for job in JOBS:
        emulated, real = both[0][job], both[1][job]
        with subtests.test("records", job=job):
            alike(job, "records", emulated.steps, real.steps)
        with subtests.test("error", job=job):
            assert [one.last.get("id") for one in (emulated, real)] == [ENDS.get(job)] * 2
            alike(job, "error", emulated.error, real.error)
        if job not in ENDS:
            with subtests.test("shape", job=job):
                alike(job, "shape", *(shape(result_of(job), side[job].last["result"], job) for side in both))
        with subtests.test("state", job=job):
            alike(job, "state", emulated.state, real.state)


def result_of(job: str) -> str:
    """Return the contract's name of what a job's script answers."""
    kind = "inventory" if job == "inventory" else "delete" if job.startswith("delete") else "create"
    name: str = contracts.document("records")["scripts"][kind]["result"]
    return name
