"""A simulated host whose process is killed outright in mid-job: locks are free, and the job goes on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROGRAM = """
import json, sys, threading
from pathlib import Path
from aetherv_simhost.backends.api import ScriptCall, SecureText
from aetherv_simhost.backends.emulated import EmulatedBackend
from aetherv_simhost.faults import Faults

folder = Path(sys.argv[1])
asked = json.loads(sys.stdin.readline())
backend = EmulatedBackend("host1", folder, Faults(folder), asked["settings"])
secrets = {"guest_la_pw": SecureText(asked["password"])}
call = ScriptCall("host1", asked["path"], {"Secrets": secrets}, (asked["document"],))
backend.run(call, lambda line: print(line, flush=True), threading.Event())
"""


@pytest.mark.parametrize("step", ["copy_image", "wait_ready"])
def test_a_killed_host_goes_on_with_its_job(make_site: Any, tmp_path: Path, step: str) -> None:
    """After a SIGKILL the next process takes the job's lock and ends with one VM."""
    site = make_site(copy_bytes_per_second=1 << 20)
    site.backend.close()
    call = site.create_call("job-1")
    asked = {
        "settings": {**site.settings, "guest_seconds": {"boot": 2.0}},
        "path": call.path,
        "document": call.pipeline_input[0],
        "password": "Sehr-geheim-4711",
    }
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM, str(site.folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(asked) + "\n")
        process.stdin.flush()
        for line in process.stdout:
            record = json.loads(line)
            if record.get("step") == step and record.get("state") == "started":
                break
        process.kill()
    site.restart()
    (job,) = site.inventory().jobs
    assert (job.job_id, job.step, job.state) == ("job-1", step, "interrupted")
    answer = site.create()
    assert answer.result["verified"] is True
    assert len(site.inventory().vms) == 1
