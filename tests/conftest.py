"""What every test process shares."""

import os

import pytest

from ocrtune import cli

# As the command line does, before torch is loaded: threads that wait without sleeping make a busy
# machine many times slower.
os.environ.setdefault(*cli.WAITING)


@pytest.fixture(scope="session", autouse=True)
def home(tmp_path_factory):
    """Keep what tests leave behind out of the developer's own folder."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("home")
        patch.setenv("OCRTUNE_HOME", str(folder))
        patch.setenv("OCRTUNE_READER_MINUTES", "0")  # no test leaves a process behind
        yield folder
