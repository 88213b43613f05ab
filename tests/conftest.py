"""What every test process shares."""

import os

from ocrtune import cli

# As the command line does, before torch is loaded: threads that wait without sleeping make a busy
# machine many times slower.
os.environ.setdefault(*cli.WAITING)
