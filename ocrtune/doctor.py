"""A checkup of this machine, before anybody waits for it: what is found, and what to do.

Nothing here loads torch. What needs it, or could bring a process down, is tried in another one.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from ocrtune.config import DoctorConfig
from ocrtune.events import Checked, Emit, Progress
from ocrtune.home import home_folder
from ocrtune.host_memory import free_host_bytes
from ocrtune.hub_greeting import greet_hub
from ocrtune.hub_writing import local_token
from ocrtune.nvidia import driver_version

ROOT = Path(__file__).parent.parent
GPU_FILE, CPU_FILE = "requirements.txt", "requirements-cpu.txt"
GPU_ONLY = ("torchvision", "unsloth", "unsloth_zoo", "bitsandbytes")  # of use, but not needed
PROBES = (sys.executable, "-m", "ocrtune.probes")
PROBE_SECONDS = 300.0  # for all of them: loading torch on a Space's disk takes a minute
GIGA = 1e9
LONGEST_LIST = 6  # packages that are named

Finding = tuple[str, str, dict[str, str]]  # state, key of the words, values in them


def examine(config: DoctorConfig, emit: Emit) -> list[Checked]:
    """Check everything, tell of each finding as it comes, and return all of them."""
    found: list[Checked] = []

    def tell(check: str, finding: Finding) -> None:
        found.append(Checked(check, *finding))
        emit(found[-1])

    driver = driver_version()
    for check, look in LOOKS.items():
        emit(Progress("checkup", len(found), 0))
        tell(check, look(driver))
    emit(Progress("checkup", len(found), 0))
    tell("hub", look_at_hub("" if config.anonymous else local_token()))
    if not find_spec("torch"):
        tell("torch", ("problem", "torch_missing", {"file": file_for(driver)}))
    elif not config.quick:
        emit(Progress("checkup", len(found), 0))
        for check, finding in probe(driver):
            tell(check, finding)
    return found


def file_for(driver: str) -> str:
    """Return which file names the packages for this machine."""
    return GPU_FILE if driver else CPU_FILE


def look_at_packages(driver: str) -> Finding:
    """Compare what is installed with what is pinned."""
    file = file_for(driver)
    try:
        lines = (ROOT / file).read_text("utf-8").splitlines()
        wanted = [Requirement(line) for line in lines if line.strip() and line[0] != "#"]
    except (OSError, InvalidRequirement):
        return "warning", "packages_unknown", {}
    missing, useful, differing = [], [], []
    for one in wanted:
        try:
            installed = version(one.name)
        except PackageNotFoundError:
            (useful if one.name in GPU_ONLY else missing).append(one.name)
            continue
        if not one.specifier.contains(installed, prereleases=True):
            differing.append(f"{one.name} {installed} ({one.specifier})")
    for names, state, key in (
        (missing, "problem", "packages_missing"),
        (differing, "warning", "packages_differ"),
        (useful, "warning", "packages_gpu"),
    ):
        if names:
            return state, key, {"listed": listed(names), "file": file}
    return "ok", "packages_ok", {"count": str(len(wanted))}


def listed(names: list[str]) -> str:
    """Return some names as one text."""
    more = len(names) - LONGEST_LIST
    return ", ".join(names[:LONGEST_LIST]) + (f", +{more}" if more > 0 else "")


def look_at_memory(driver: str) -> Finding:
    """Look how much memory is free."""
    free, total = (count / GIGA for count in free_host_bytes())
    known = {"free": f"{free:.1f}", "total": f"{total:.1f}"}
    if free < 1:
        return "problem", "memory_none", known
    return ("warning", "memory_little", known) if free < 6 else ("ok", "memory_ok", known)


def look_at_disk(driver: str) -> Finding:
    """Look how much room the disk has on which everything is kept."""
    folder = home_folder()
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    free = shutil.disk_usage(folder).free / GIGA
    known = {"free": f"{free:.1f}"}
    if free < 1:
        return "problem", "disk_full", known
    return ("warning", "disk_little", known) if free < 12 else ("ok", "disk_ok", known)


def look_at_home(driver: str) -> Finding:
    """Try to write where everything is kept, and look whether that lasts."""
    home = home_folder()
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home) as stream:
            stream.write(b"ocrtune")
    except OSError as error:
        return "problem", "home_locked", {"why": error.strerror or type(error).__name__}
    if os.environ.get("SYSTEM") != "spaces":
        return "ok", "home_ok", {}
    given = os.environ.get("OCRTUNE_HOME")
    if given and Path(given).expanduser().resolve() != home:
        return "warning", "home_elsewhere", {}
    mounted = any(os.path.ismount(folder) for folder in (home, *home.parents[:-1]))
    return ("ok", "home_ok", {}) if mounted else ("warning", "home_forgets", {})


def look_at_hub(token: str) -> Finding:
    """Ask the Hub whether it is there and knows whose token it is."""
    how, more = greet_hub(token)
    state = "ok" if how in ("signed_in", "anonymous") else "warning"
    return state, f"hub_{how}", {"name": more, "why": more}


def look_at_driver(driver: str) -> Finding:
    """Tell which driver there is."""
    if not driver:
        return "warning", "driver_none", {}
    return "ok", "driver_ok", {"driver": driver}


LOOKS: dict[str, Callable[[str], Finding]] = {
    "packages": look_at_packages,
    "memory": look_at_memory,
    "disk": look_at_disk,
    "home": look_at_home,
    "driver": look_at_driver,
}


def probe(driver: str, command: tuple[str, ...] = PROBES) -> Iterator[tuple[str, Finding]]:
    """Yield what comes of each thing that is tried; one that ends its process is told of too."""
    with (
        tempfile.TemporaryFile("w+", errors="replace") as log,
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=ROOT,
            env=offline(),
        ) as process,
    ):
        late = threading.Event()

        def end() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(PROBE_SECONDS, end)
        timer.start()
        current = "torch"
        try:
            for line in process.stdout:
                told = read_line(line)
                current = told.get("begins", current)
                if "check" in told:
                    yield told["check"], (told["state"], told["words"], told["values"])
        finally:
            timer.cancel()
            process.kill()  # nobody wants to hear more, or it has ended already
        process.wait()
        if late.is_set():
            yield current, ("problem", "late", {"seconds": f"{PROBE_SECONDS:.0f}"})
        elif process.returncode:
            log.seek(0)
            yield current, ending(process.returncode, log.read(), driver)


def read_line(line: str) -> dict:
    """Return what a line tells; nothing if it is none of the probes'."""
    try:
        told = json.loads(line)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def ending(code: int, log: str, driver: str) -> Finding:
    """Return what to say of a process that came to a bad end."""
    last = (log.strip().splitlines() or [""])[-1]
    if code > 0 and re.match(r"\w*(Error|Exception)\b", last):  # while it loaded torch
        return "problem", "torch_broken", {"why": last[:200], "file": file_for(driver)}
    return "problem", "died", {"why": f"{-code}" if code < 0 else f"exit code {code}"}


def offline() -> dict[str, str]:
    """Return an environment in which the model libraries stay off the network."""
    return os.environ | dict.fromkeys(("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"), "1")
