"""What tells weights on a disk apart, without opening them."""

import hashlib
from pathlib import Path

from ocrtune.errors import ModelError

DIGEST = "sha256:"  # begins the revision of weights that have no commit


def weights_digest(folder: Path) -> str:
    """Return what tells two trainings apart: a digest of every shard's size and both ends.

    The ends are the first and the last MiB: enough for that, and quick on 7 GB.
    """
    digest = hashlib.sha256()
    for shard in safe_shards(folder):
        size = shard.stat().st_size
        digest.update(size.to_bytes(8, "big"))
        with shard.open("rb") as file:
            digest.update(file.read(1 << 20))
            file.seek(max(0, size - (1 << 20)))
            digest.update(file.read())
    return DIGEST + digest.hexdigest()[:16]


def safe_shards(folder: Path) -> list[Path]:
    """Return the files of the weights, in order; a ModelError if there are none that are safe."""
    shards = sorted(folder.glob("*.safetensors"))
    if not shards:
        raise ModelError(
            f"`{folder}` holds no weights in *.safetensors.",
            "Other formats can run code when they are opened, and are never read.",
        )
    return shards
