"""What a comparison was made under, beside its contract: which weights, and what they had seen."""

from collections.abc import Sequence
from dataclasses import dataclass

from ocrtune.metrics import CharScore, pool
from ocrtune.seen import Seen, seen_values


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """Whose weights were compared, and how much of the split was no test for them."""

    base_revision: str  # a commit, or a digest of the weights
    adapter_revision: str  # a digest of its weights; of a shared one repo id and commit
    adapter_steps: int | None  # that it was trained for, as far as it says so itself
    seen: Seen


def conditions_values(
    conditions: Conditions,
    picture_ids: Sequence[str],
    base: Sequence[CharScore],
    tuned: Sequence[CharScore],
) -> dict:
    """Return the conditions as JSON values, with both pooled CERs on the lines train lacks.

    base, tuned: the scores of the pictures that were read.
    """
    known = conditions.seen.ids()
    unseen = [row for row, name in enumerate(picture_ids) if name not in known]
    return {
        "base_revision": conditions.base_revision,
        "adapter_revision": conditions.adapter_revision,
        "adapter_steps": conditions.adapter_steps,
        "seen": seen_values(conditions.seen),
        "unseen": {
            "lines": len(unseen),
            "base_cer": pool(base[row] for row in unseen).cer,
            "tuned_cer": pool(tuned[row] for row in unseen).cer,
        },
    }
