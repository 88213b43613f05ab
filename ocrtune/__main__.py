"""`python -m ocrtune`: the command line."""

import sys

from ocrtune.cli import main

if __name__ == "__main__":
    sys.exit(main())
