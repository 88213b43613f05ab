"""What the Fine-tune tab shows of a preflight: what a run takes, before it is started."""

from ocrtune.events import Event, Preflight
from ocrtune.ui.looks import Look, remarks, trouble, waiting
from ocrtune.ui.report_views import folded
from ocrtune.ui.views import duration, notice, text, tiles
from ocrtune.ui.words import say

CHARACTERS_SHOWN = 12
TIGHT = 0.1  # of the memory; with less left, other programs may come in the way
MANY_PASSES = 20  # over the same samples; more is learning by heart


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
    if not told:
        return ""
    return result(told, language) if run.active else figures(told, language)


def last_preflight(events: list[Event]) -> Preflight | None:
    """Return the last preflight among some events."""
    return next((event for event in reversed(events) if isinstance(event, Preflight)), None)


def result(told: Preflight, language: str) -> str:
    """Return what a preflight means in sentences, with all figures folded away below."""
    said = "".join(f"<li>{words}</li>" for words in advice(told, language))
    return (
        notice(verdict(told, language), "good" if fits(told) else "bad")
        + f'<ul class="ot-advice">{said}</ul>'
        + figures(told, language)
    )


def figures(told: Preflight, language: str) -> str:
    """Return everything that was counted and measured, folded."""
    rows = "".join(f"<li>{words}</li>" for words in sentences(told, language))
    inner = tiles(numbers(told, language)) + f'<ul class="ot-hint">{rows}</ul>'
    return folded(text(language, "check_figures"), inner)


def fits(told: Preflight) -> bool:
    """Return whether the run has the memory that it takes."""
    return not told.memory_bytes or told.peak_bytes <= told.memory_bytes


def verdict(told: Preflight, language: str) -> str:
    """Return whether the run will go well here, how long it takes and what it costs, as HTML."""
    time = text(language, "advice_time", time=duration(told.seconds, language))
    if not fits(told):
        return f"<b>{text(language, 'advice_too_large')}</b> {text(language, 'advice_smaller')}"
    words = f"<b>{text(language, 'advice_fits')}</b> {time}"
    if told.dollars is not None and told.dollars_an_hour:
        cost = f"{max(0.01, told.dollars):.2f}"
        words += f" {text(language, 'advice_cost', cost=cost, space=told.space)}"
    return words


def advice(told: Preflight, language: str) -> list[str]:
    """Return what will happen and what to do about it, as HTML."""
    room = told.memory_bytes - told.peak_bytes
    found = [seen_words(told, language)]
    if fits(told) and room < TIGHT * told.memory_bytes:
        found.append(text(language, "advice_tight"))
    if told.checkpointing:
        found.append(text(language, "advice_twice"))
    if told.left_out:
        found.append(text(language, "advice_left_out", count=told.left_out))
    if told.unknown_characters:
        found.append(unknown_words(told, "advice_unknown", language))
    return found


def seen_words(told: Preflight, language: str) -> str:
    """Return how often the run looks at each sample."""
    if told.epochs < 0.95:
        share = round(100 * told.epochs)
        return text(language, "advice_part", share=share, samples=told.samples)
    times = f"{told.epochs:.1f}".removesuffix(".0")
    key = "advice_often" if told.epochs > MANY_PASSES else "advice_all"
    return text(language, key, samples=told.samples, times=times)


def unknown_words(told: Preflight, key: str, language: str) -> str:
    """Return which characters of the texts the model cannot write."""
    shown = " ".join(list(told.unknown_characters)[:CHARACTERS_SHOWN])
    return text(language, key, count=len(told.unknown_characters), characters=shown)


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
        found.append(unknown_words(told, "check_unknown", language))
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
