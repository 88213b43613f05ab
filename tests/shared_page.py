"""`python -m ocrtune app` with gradio's tunnel replaced: nothing of these tests leaves the machine.

The first argument says what becomes of the tunnel: its address, or `broken`.
"""

import sys

from gradio import networking

from ocrtune.cli import main


def pretend(address: str) -> None:
    """Let a tunnel lead to that address, or none be made."""

    def set_up(**settings: object) -> str:
        if address == "broken":
            raise RuntimeError("Could not get share link from Gradio API Server.")
        return address

    networking.setup_tunnel = set_up


if __name__ == "__main__":
    pretend(sys.argv[1])
    sys.exit(main(["app", *sys.argv[2:]]))
