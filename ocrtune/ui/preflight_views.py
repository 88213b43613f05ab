"""What the Fine-tune tab shows of a preflight: what a run takes, before it is started."""

from ocrtune.events import Event, Preflight
from ocrtune.ui.looks import Look, remarks, trouble, waiting
from ocrtune.ui.views import duration, text, tiles
from ocrtune.ui.words import say

CHARACTERS_SHOWN = 12


def preflight(
    check: Look, checked: list[Event], run: Look, events: list[Event], language: str
) -> str:
    """Return the check that was asked for, else what the run itself found out at its start."""
    if check.active:
        return waiting(check, language, text(language, "check_working"))
    if check.job and (wrong := trouble(check, language)):
        return wrong
    told = last_preflight(checked)
    if told:
        return result(told, language) + remarks(checked, language)
    told = last_preflight(events) if run.job else None
    return result(told, language) if told else ""


def last_preflight(events: list[Event]) -> Preflight | None:
    """Return the last preflight among some events."""
    return next((event for event in reversed(events) if isinstance(event, Preflight)), None)


def result(told: Preflight, language: str) -> str:
    """Return a preflight as numbers, and what else to know as sentences."""
    rows = "".join(f"<li>{words}</li>" for words in sentences(told, language))
    return tiles(numbers(told, language)) + f'<ul class="ot-hint">{rows}</ul>'


def numbers(told: Preflight, language: str) -> list[tuple[str, str]]:
    """Return the figures that decide whether to start, with what they count."""
    found = [
        (text(language, "about", value=duration(told.seconds, language)), "check_time", {}),
        (
            f"{told.peak_bytes / 1e9:.1f}",
            "check_memory",
            {"all": f"{told.memory_bytes / 1e9:.1f}"},
        ),
        (f"{told.supervised_tokens}", "check_tokens", {"samples": told.samples}),
        (f"{told.epochs:.1f}", "check_epochs", {}),
    ]
    if told.dollars is not None and told.dollars_an_hour:
        rate = {"space": told.space, "rate": f"{told.dollars_an_hour:.2f}"}
        found.insert(1, (f"${max(0.01, told.dollars):.2f}", "check_cost", rate))
    return [(value, text(language, key, **values)) for value, key, values in found]


def sentences(told: Preflight, language: str) -> list[str]:
    """Return what else to know of a run, as HTML."""
    whole = "check_whole" if told.micro_batch >= told.batch_size else "check_parts"
    found = [
        layout_words(told, language),
        text(language, "check_longest", name=told.longest_sample, tokens=told.longest_tokens),
        text(language, whole, batch=told.batch_size, together=told.micro_batch),
    ]
    if told.checkpointing:
        found.append(text(language, "check_twice"))
    seconds = say(language, "seconds", count=f"{told.step_seconds:.2g}")
    found.append(text(language, "check_step", time=seconds))
    if told.left_out:
        found.append(text(language, "check_left_out", count=told.left_out))
    if told.unknown_characters:
        shown = " ".join(list(told.unknown_characters)[:CHARACTERS_SHOWN])
        count = len(told.unknown_characters)
        found.append(text(language, "check_unknown", count=count, characters=shown))
    return found


def layout_words(told: Preflight, language: str) -> str:
    """Return what a picture costs under the layout chosen, and under the others."""
    tokens = f"{told.image_tokens:.0f}"
    others = ", ".join(
        f"{name} {count:.0f}" for name, count in told.layout_tokens.items() if name != told.layout
    )
    if not others:
        return text(language, "check_one_layout", tokens=tokens)
    chosen = "check_layout_chosen" if told.layout_reason else "check_layout"
    return text(language, chosen, layout=told.layout, tokens=tokens, others=others)
