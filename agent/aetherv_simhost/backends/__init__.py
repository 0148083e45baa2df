"""Back-ends run host scripts on a simulated host; `make_backend` is the only place that knows their names."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Final, cast

from aetherv_simhost.backends.api import Backend
from aetherv_simhost.faults import Faults

_EMULATED: Final = "aetherv_simhost.backends.emulated"


class BackendRefused(ValueError):  # noqa: N818  # reads as what happened, like CommandNotFound
    """A back-end was asked for that this version does not have."""


def make_backend(
    name: str, host_id: str, state_dir: Path, faults: Faults, settings: Mapping[str, object] | None = None
) -> Backend:
    """Makes the back-end of one simulated host.

    Args:
        name: ``emulated``, or ``auto`` for the best one there is.
        host_id: The simulated host's id.
        state_dir: The host's own folder; the model's state lives in it.
        faults: The host's faults.
        settings: The model's settings; None for its defaults.

    Raises:
        BackendRefused: No back-end has this name.
    """
    if name not in {"auto", "emulated"}:
        raise BackendRefused(f"back-end {name!r} is not available: use 'emulated' (or 'auto')")
    # Late: a test that brings its own back-end needs no model.
    module = import_module(_EMULATED)
    return cast("Backend", module.EmulatedBackend(host_id, state_dir, faults, settings or {}))
