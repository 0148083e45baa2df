"""The command ``aetherv``; also ``python -m aetherv_agent``."""

from __future__ import annotations


def main() -> None:
    """Run the command line."""
    from aetherv_agent.cli.main import app

    app(prog_name="aetherv")


if __name__ == "__main__":
    main()
