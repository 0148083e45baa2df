"""Back-ends run host scripts on a simulated host; `make_backend` is the only place that knows their names."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Final, cast

from aetherv_simhost.backends.api import Backend
from aetherv_simhost.faults import Faults

_BACKENDS: Final = {
    "emulated": ("aetherv_simhost.backends.emulated.backend", "EmulatedBackend"),
    "pwsh": ("aetherv_simhost.backends.pwsh.backend", "PwshBackend"),
}
# Until every host script is there, the best one is the one that needs none.
_AUTO: Final = "emulated"


class BackendRefused(ValueError):  # noqa: N818  # reads as what happened, like CommandNotFound
    """A back-end was asked for that this version does not have."""


def make_backend(
    name: str, host_id: str, state_dir: Path, faults: Faults, settings: Mapping[str, object] | None = None
) -> Backend:
    """Makes the back-end of one simulated host.

    Args:
        name: ``emulated``, ``pwsh``, or ``auto`` for the best one there is.
        host_id: The simulated host's id.
        state_dir: The host's own folder; the model's state lives in it.
        faults: The host's faults.
        settings: The model's settings; None for its defaults. What stands under ``pwsh`` is for that back-end alone.

    Raises:
        BackendRefused: No back-end has this name, or it can't be had here.
    """
    chosen = _AUTO if name == "auto" else name
    if chosen not in _BACKENDS:
        raise BackendRefused(f"back-end {name!r} is not available: use {', '.join(_BACKENDS)} or auto")
    given = dict(settings or {})
    if chosen == "emulated":
        given.pop("pwsh", None)
    # Late: a test that brings its own back-end needs no model.
    module, maker = _BACKENDS[chosen]
    return cast("Backend", getattr(import_module(module), maker)(host_id, state_dir, faults, given))
