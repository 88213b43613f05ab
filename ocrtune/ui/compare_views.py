"""What the Compare tab shows of a comparison."""

from ocrtune.metrics import marked_difference
from ocrtune.report_page import percent
from ocrtune.ui.looks import Look, trouble, waiting
from ocrtune.ui.views import escape, legend, marked, notice, picture, text, tiles, user_text

WORST_SHOWN = 12


def ready(run: Look, test_samples: int, language: str) -> str:
    """Return what would be compared, or what is still missing for it."""
    if run.active:
        return notice(text(language, "compare_run_busy"), "busy")
    if not run.usable:
        return notice(text(language, "compare_no_run"))
    if not test_samples:
        return notice(text(language, "compare_no_test"), "bad")
    return notice(text(language, "compare_ready", test=test_samples), "good")


def pending(comparison: Look, language: str) -> str:
    """Return how far a comparison is that has no report yet."""
    if not comparison.job:
        return notice(text(language, "compare_none"))
    if comparison.active:
        return waiting(comparison, language, text(language, "compare_working"))
    return trouble(comparison, language) or notice(text(language, "stopped"))


def result(report: dict, language: str) -> str:
    """Return the verdict, both error rates, and how many lines changed."""
    verdict = escape(report["verdict"][language])
    return (
        f'<p class="ot-verdict">{verdict}</p>'
        + rates(report, language)
        + counts(report, language)
        + f'<p class="ot-hint">{text(language, "cer_explained")}</p>'
    )


def rates(report: dict, language: str) -> str:
    """Return both error rates as numbers and as bars on one scale."""
    scale = max(report["base"]["cer"] or 0, report["tuned"]["cer"] or 0) or 1
    return "".join(rate(report[model], model, scale, language) for model in ("base", "tuned"))


def rate(figures: dict, model: str, scale: float, language: str) -> str:
    """Return one model's error rate; `scale` is the CER of a full bar."""
    counted = text(
        language,
        "counted",
        errors=figures["errors"],
        characters=figures["reference_characters"],
    )
    width = round(100 * (figures["cer"] or 0) / scale)
    return (
        f'<div class="ot-rate ot-rate-{model}"><span>{text(language, f"cer_{model}")}</span>'
        f"<b>{percent(figures['cer'])}</b>"
        f'<div class="ot-track"><i style="width:{width}%"></i></div><small>{counted}</small></div>'
    )


def counts(report: dict, language: str) -> str:
    """Return how many lines became better or worse, and how many are exact."""
    difference = report["difference"]
    values = [(str(difference[key]), text(language, key)) for key in ("better", "worse", "tied")]
    exact = [
        (str(report[model]["exact_lines"]), text(language, f"exact_{model}"))
        for model in ("base", "tuned")
    ]
    return tiles(values + exact)


def shown_lines(report: dict) -> list[dict]:
    """Return the lines worth a look: those with an error by either model, worst first."""
    lines = [line for line in report["worst"] if line["base_errors"] or line["tuned_errors"]]
    return lines[:WORST_SHOWN]


def worst_lines(report: dict, pictures: dict[str, bytes], language: str) -> str:
    """Return the lines with the most errors left, worst first."""
    lines = shown_lines(report)
    if not lines:
        return ""
    cards = "".join(line_card(line, pictures.get(line["picture_id"]), language) for line in lines)
    title = f"<h4>{text(language, 'worst')}</h4>"
    return title + legend(language) + f'<div class="ot-worst">{cards}</div>'


def line_card(line: dict, data: bytes | None, language: str) -> str:
    """Return one line: picture, right text, both readings with their errors marked."""
    image = picture(data, line["picture_id"]) if data else ""
    rows = "".join(
        f"<tr><th>{text(language, f'{model}_reads')}</th><td>{reading}</td></tr>"
        for model, reading in (
            (model, reading_words(line, model, language)) for model in ("base", "tuned")
        )
    )
    return (
        f"<figure>{image}<table>"
        f'<tr class="ot-right"><th>{text(language, "ground_truth")}</th>'
        f"<td>{user_text(line['reference'])}</td></tr>{rows}</table>"
        f"<figcaption>{escape(line['picture_id'])}</figcaption></figure>"
    )


def reading_words(line: dict, model: str, language: str) -> str:
    """Return a model's text with its errors marked and its errors counted, as HTML."""
    if line[f"{model}_failed"]:
        return f"<em>{text(language, 'read_failed')}</em>"
    if not line[model].strip():
        return f"<em>{text(language, 'read_nothing')}</em>"
    words = marked(line[model], marked_difference(line["reference"], line[model]))
    looped = f"<br>{text(language, 'read_looped')}" if line[f"{model}_looped"] else ""
    cut = f"<br>{text(language, 'read_cut')}" if line.get(f"{model}_cut") else ""
    return f"{words} <small>{percent(line[f'{model}_cer'])}{looped}{cut}</small>"
