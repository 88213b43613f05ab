"""What a machine of the Hub needs to run ocrtune: this very package, and a script that starts it.

The package is sent as it lies here, so that both ends are of one version; the script carries its
digest. The script names what it depends on itself (PEP 723), with the versions that are pinned.
"""

import base64
import hashlib
import io
import re
import zipfile
from pathlib import Path

from ocrtune.config import TrainConfig
from ocrtune.errors import JobError

ROOT = Path(__file__).parent.parent
PYTHON = "==3.12.*"
IMAGE = "ghcr.io/astral-sh/uv:python3.12-bookworm"  # Python, uv and a compiler, which Triton needs
# The script comes through the environment: that takes neither a bucket nor a public address.
SCRIPT = "OCRTUNE_SCRIPT"
COMMAND = (
    "bash",
    "-c",
    f'd="$(mktemp -d)" && printf %s "${SCRIPT}" | base64 -d > "$d/run.py" && unset {SCRIPT} && '
    'exec uv run "$d/run.py"',
)
PAGE_ONLY = ("gradio",)  # of the requirements
UNSLOTH_ONLY = ("unsloth", "unsloth-zoo")
LEFT_OUT = ("ui", "bench", "pretrain", "__pycache__")  # folders that a run does not need
LEFT_OUT_FILES = ("page.png", "page_zh.png", "sample.zip", "bench_train.json", "bench_read.json")
DATE = (1980, 1, 1, 0, 0, 0)  # of every file: the same package has the same digest

TEMPLATE = '''# /// script
# requires-python = "{python}"
# dependencies = [
{dependencies}
# ]
# ///
"""One fine-tuning of ocrtune, on a machine of the Hugging Face Hub; written for this run alone."""

import hashlib
import os
import sys
import tempfile
import zipfile
from pathlib import Path

from huggingface_hub import hf_hub_download

folder = Path(tempfile.mkdtemp(prefix="ocrtune-"))
package = Path(
    hf_hub_download(
        {repo_id!r},
        {package!r},
        repo_type="dataset",
        revision={branch!r},
        local_dir=folder / "sent",
    )
)
if hashlib.sha256(package.read_bytes()).hexdigest() != {sha256!r}:
    sys.exit("The package is not the one that was sent.")
zipfile.ZipFile(package).extractall(folder / "package")
os.environ["OCRTUNE_HOME"] = str(folder / "home")
os.chdir(folder / "package")
arguments = ["-m", "ocrtune", "far", {address!r}, "--minutes", "{minutes:g}"]
os.execv(sys.executable, [sys.executable, *arguments])
'''


def pack(base: str) -> bytes:
    """Return this package as a zip; the embedded model's weights only where `base` is it."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted((ROOT / "ocrtune").rglob("*")):
            name = path.relative_to(ROOT).as_posix()
            if path.is_file() and is_needed(name, base):
                entry = zipfile.ZipInfo(name, DATE)
                weights = path.suffix == ".safetensors"  # are as small as they get
                entry.compress_type = zipfile.ZIP_STORED if weights else zipfile.ZIP_DEFLATED
                archive.writestr(entry, path.read_bytes())
    return stream.getvalue()


def is_needed(name: str, base: str) -> bool:
    """Return whether a run on that base model needs this file of the package."""
    _, *folders, file = name.split("/")
    if set(folders) & set(LEFT_OUT) or file in LEFT_OUT_FILES or file.startswith("."):
        return False
    return base == "tiny" or not file.endswith(".safetensors")


def requirements(engine: str, has_gpu: bool) -> list[str]:
    """Return what the package depends on there, pinned as it is here."""
    name = "requirements.txt" if has_gpu else "requirements-cpu.txt"
    try:
        lines = (ROOT / name).read_text("utf-8").splitlines()
    except OSError as error:
        raise JobError(
            f"`{name}` is missing beside the package `ocrtune`.", "Install ocrtune again."
        ) from error
    left_out = PAGE_ONLY if engine == "unsloth" else (*PAGE_ONLY, *UNSLOTH_ONLY)
    found = [line.partition("#")[0].strip() for line in lines]
    return [line for line in found if line and project(line) not in left_out]


def project(requirement: str) -> str:
    """Return whose requirement it is, in the index's spelling."""
    return re.split(r"[\[<>=!~; ]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def write_script(
    config: TrainConfig,
    has_gpu: bool,
    repo_id: str,
    branch: str,
    package: str,
    sha256: str,
    minutes: float,
) -> str:
    """Return the script that runs there; package: the name of the zip on the branch.

    minutes: after which the run shall end by itself and keep what it has learned.
    """
    listed = "\n".join(f'#   "{line}",' for line in requirements(config.engine, has_gpu))
    return TEMPLATE.format(
        python=PYTHON,
        dependencies=listed,
        repo_id=repo_id,
        branch=branch,
        package=package,
        sha256=sha256,
        address=f"hf://{repo_id}/{branch}",
        minutes=minutes,
    )


def encoded(script: str) -> str:
    """Return a script as COMMAND expects it in the variable SCRIPT."""
    return base64.b64encode(script.encode()).decode()


def sha256_of(data: bytes) -> str:
    """Return the digest of a package, in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()
