"""What every test process shares."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ocrtune import cli

# As the command line does, before torch is loaded: threads that wait without sleeping make a busy
# machine many times slower.
os.environ.setdefault(*cli.WAITING)


pytest_plugins = ("browsing",)

QUIET = "quiet: runs while no other test does; for what a stopwatch decides"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", QUIET)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep each file, and all that looks at the one journey, on one worker of pytest-xdist."""
    if not config.pluginmanager.hasplugin("xdist"):
        return
    sharing = {item.path for item in items if "journey" in getattr(item, "fixturenames", ())}
    for item in items:
        group = "journey" if item.path in sharing else item.path.stem
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Hold other workers of pytest-xdist at their next test while one runs that must be alone."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    if not run:
        return (yield)
    alone = item.get_closest_marker("quiet") is not None
    folder = Path(tempfile.gettempdir())
    # Who must be alone keeps the door while waiting, or those who come and go would never let in.
    with (
        locked(folder / f"ocrtune-door-{run}", True) as door,
        locked(folder / f"ocrtune-room-{run}", alone),
    ):
        if not alone:
            fcntl.flock(door, fcntl.LOCK_UN)
        return (yield)


@contextmanager
def locked(path: Path, alone: bool) -> Iterator[int]:
    """Hold a lock between processes, alone or with others; waits for it."""
    number = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(number, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield number
    finally:
        os.close(number)


@pytest.fixture(scope="session", autouse=True)
def home(tmp_path_factory):
    """Keep what tests leave behind out of the developer's own folder."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("home")
        patch.setenv("OCRTUNE_HOME", str(folder))
        patch.setenv("OCRTUNE_READER_MINUTES", "0")  # no test leaves a process behind
        yield folder
