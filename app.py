"""The Space's entry: serve the page."""

import sys

from ocrtune.cli import main

if __name__ == "__main__":
    sys.exit(main(["app", *sys.argv[1:]]))
