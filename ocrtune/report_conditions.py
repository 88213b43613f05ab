"""What a comparison was made under: the whole contract, whose weights, what train has seen."""

from collections.abc import Mapping
from html import escape

from ocrtune.report_figures import percent


def conditions(values: Mapping, words: Mapping[str, str]) -> str:
    """Return the conditions of a report's values as an HTML table."""
    known = values.get("conditions")
    entries = {words[f"model_{name}"]: values["models"][name] for name in ("base", "tuned")}
    if known:
        entries |= weights(known, words)
    entries |= contract(values, words)
    entries[words["bootstrap"]] = words["draws"].format(
        draws=f"{values['bootstrap']['draws']:,}", seed=values["bootstrap"]["seed"]
    )
    names = ""
    if known and known["seen"]["train_samples"]:
        entries |= seen(known, words)
        names = ", ".join(
            f"{one['picture_id']} = {one['train_id']}" for one in known["seen"]["listed"][:20]
        )
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td><bdi>{escape(told)}</bdi></td></tr>"
        for name, told in entries.items()
    )
    named = f'<p class="soft"><bdi>{escape(names)}</bdi></p>' if names else ""
    return f'<table class="plain">{rows}</table>{named}'


def weights(known: Mapping, words: Mapping[str, str]) -> dict[str, str]:
    """Return which weights were compared, by name."""
    steps = known["adapter_steps"]
    return {
        words["base_revision"]: known["base_revision"] or "–",
        words["adapter_revision"]: known["adapter_revision"] or "–",
        words["adapter_steps"]: words["not_known"] if steps is None else f"{steps:,}",
    }


def contract(values: Mapping, words: Mapping[str, str]) -> dict[str, str]:
    """Return every entry of the contract under which all was read, by its name for people."""
    entries = {**values["contract"], "digest": values["contract_digest"]}
    return {words.get(f"contract_{name}", name): str(told) for name, told in entries.items()}


def seen(known: Mapping, words: Mapping[str, str]) -> dict[str, str]:
    """Return how much of the split the train split holds too, by name."""
    found, unseen = known["seen"], known["unseen"]
    rates = f"{percent(unseen['base_cer'])} → {percent(unseen['tuned_cer'])}"
    return {
        words["seen_picture"]: f"{found['picture']:,}",
        words["seen_near_picture"]: f"{found['near_picture']:,}",
        words["seen_text"]: f"{found['text']:,}",
        words["lines_left_out"]: f"{found['lines_left_out']:,}",
        words["unseen"].format(lines=f"{unseen['lines']:,}"): rates,
    }
