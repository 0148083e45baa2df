"""Settings of the back-end pwsh, and the choice of a back-end."""

from pathlib import Path

import pytest
from aetherv_simhost.backends import BackendRefused, make_backend
from aetherv_simhost.backends.emulated import EmulatedBackend
from aetherv_simhost.backends.pwsh.settings import PwshSettings, find_pwsh
from aetherv_simhost.faults import Faults
from aetherv_simhost.hyperv.settings import SettingsError


@pytest.mark.parametrize(
    "raw",
    [
        {"bogus": 1},
        {"edition": "7"},
        {"max_processes": "4"},
        {"predeploy": 1},
        {"max_processes": True},
        {"locale": "xx"},
    ],
)
def test_wrong_settings_are_refused(raw: dict[str, object]) -> None:
    """An unknown name, a wrong type and a value that there is not are errors."""
    with pytest.raises(SettingsError):
        PwshSettings.read(raw)


def test_settings_have_defaults_and_take_whole_numbers() -> None:
    """Nothing said is Windows PowerShell 5.1; a whole number does for a fraction."""
    assert PwshSettings.read({}).edition == "Desktop"
    assert PwshSettings.read({"job_share": 1}).job_share == 1


def test_a_powershell_is_found_by_setting_variable_or_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The setting counts before AETHERV_PWSH, that before PATH; a named one that is not there is none."""
    for name in ("a", "b", "pwsh"):
        (tmp_path / name).write_text("#!/bin/sh\n", encoding="ascii")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("AETHERV_PWSH", str(tmp_path / "b"))
    assert find_pwsh(PwshSettings(executable=str(tmp_path / "a"))) == tmp_path / "a"
    assert find_pwsh() == tmp_path / "b"
    monkeypatch.setenv("AETHERV_PWSH", str(tmp_path / "absent"))
    assert find_pwsh() is None
    monkeypatch.delenv("AETHERV_PWSH")
    assert find_pwsh() == tmp_path / "pwsh"


def test_backends_by_name(tmp_path: Path) -> None:
    """``auto`` is the emulated one as long as not every script is there; settings of pwsh do not disturb it."""
    backend = make_backend(
        "auto", "h", tmp_path, Faults(), {"image_bytes": 16384, "pwsh": {"edition": "Core"}}
    )
    assert isinstance(backend, EmulatedBackend)
    backend.close()
    with pytest.raises(BackendRefused, match="pwsh"):
        make_backend("other", "h", tmp_path, Faults())
