"""Generate the Python code of every proto of this repository, or prove that it is fresh.

``python proto/generate.py`` writes; ``python proto/generate.py --check`` compares and exits with 1 on a
difference. The code is checked in so that installing the project needs no compiler.
"""

from __future__ import annotations

import argparse
import filecmp
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WIRE = "terraform_provider_aetherv/plugin/wire"


def _protoc(out: Path, includes: list[str], files: list[str]) -> None:
    subprocess.run(
        [
            sys.executable,
            "-m",
            "grpc_tools.protoc",
            *[f"-I{include}" for include in includes],
            *[f"--{kind}_out={out}" for kind in ("python", "grpc_python", "mypy", "mypy_grpc")],
            f"--plugin=protoc-gen-mypy={Path(sys.executable).parent / 'protoc-gen-mypy'}",
            f"--plugin=protoc-gen-mypy_grpc={Path(sys.executable).parent / 'protoc-gen-mypy_grpc'}",
            *files,
        ],
        check=True,
        cwd=ROOT,
    )


def generate(agent: Path, shim: Path) -> None:
    """Write the generated code below two folders.

    Args:
        agent: takes ``aetherv/v1``.
        shim: takes ``terraform_provider_aetherv/plugin/wire``.

    Raises:
        subprocess.CalledProcessError: the compiler refused a file.
    """
    agent.mkdir(parents=True, exist_ok=True)
    shim.mkdir(parents=True, exist_ok=True)
    services = sorted(
        p.relative_to(ROOT / "proto").as_posix() for p in (ROOT / "proto/aetherv/v1").glob("*.proto")
    )
    _protoc(agent, ["proto", "proto/third_party"], services)
    wire = sorted(f"{WIRE}/{p.name}" for p in (ROOT / "proto/tfplugin6").glob("*.proto"))
    # A virtual path: the generated modules import each other below the shim's own package.
    _protoc(shim, [f"{WIRE}=proto/tfplugin6"], wire)


def _stale(fresh: Path, kept: Path) -> list[str]:
    # `.py` and `.pyi`, not what Python compiled.
    names = {
        p.relative_to(root) for root in (fresh, kept) for p in root.rglob("*_pb2*.py*") if p.suffix != ".pyc"
    }
    return sorted(
        str(kept / name)
        for name in names
        if not (fresh / name).is_file()
        or not (kept / name).is_file()
        or not filecmp.cmp(fresh / name, kept / name, shallow=False)
    )


def main() -> int:
    """Run the command line; return its exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    if not parser.parse_args().check:
        generate(ROOT / "agent", ROOT / "terraform-provider-shim")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder)
        generate(fresh / "agent", fresh / "shim")
        stale = _stale(fresh / "agent/aetherv/v1", ROOT / "agent/aetherv/v1")
        stale += _stale(fresh / "shim" / WIRE, ROOT / "terraform-provider-shim" / WIRE)
    for path in stale:
        print(f"stale: {path}; run `make proto`", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
