"""The HTML face of a report: one file that needs no network, for a phone or a wide screen."""

import base64
from collections.abc import Mapping
from html import escape
from io import BytesIO

from PIL import Image, ImageOps

from ocrtune.metrics import marked_difference
from ocrtune.report_charts_svg import charts
from ocrtune.report_figures import percent, points, section, table
from ocrtune.report_filter import SCRIPT, controls, line_kinds, script_source
from ocrtune.report_tables import breakdowns, profiles, word_row
from ocrtune.report_words import WORDS
from ocrtune.text import name_character

SHOWN_LINES = 1_000  # the file stays small enough to mail; lines.csv has them all
WHOLE_PICTURES = 200  # lines; with more of them, their pictures become thumbnails
LARGEST_THUMBNAIL = 4_500  # bytes: with 1,000 of them the file stays under 8 MB
THUMBNAIL_SIDES = (700, 500, 350, 200, 100)  # pixels; the first one small enough is taken
LARGEST_INLINE = 200_000  # bytes of a picture that is taken as it is
LONGEST_SIDE = 1600  # pixels of a picture that had to be made smaller
LARGEST_PNG = 250_000  # pixels: crisp for a line, too many bytes and seconds for a whole page
BROWSER_FORMATS = {"PNG": "png", "JPEG": "jpeg", "GIF": "gif", "WEBP": "webp"}

RATES = ("cer", "median_line_cer", "mean_line_cer", "cer_without_loops", "bounded_cer")
ROWS = (
    *("cer", "errors", "reference_characters", "substitutions", "deletions", "insertions"),
    *("lines", "exact_lines", "median_line_cer", "mean_line_cer", "lines_over_100"),
    *("looped", "cer_without_loops", "cut", "failed", "empty_references", "bounded_cer"),
)

STYLE = """
:root { color-scheme: light dark; --page: #fff; --ink: #1d2330; --soft: #667085; --rule: #d9dee7;
  --base: #b45309; --tuned: #1d6fd1; --missing: #cfe3ff; --extra: #ffd9d4; --wrong: #ffe9a8 }
@media (prefers-color-scheme: dark) { :root { --page: #14171d; --ink: #e7eaf0; --soft: #98a2b3;
  --rule: #343b48; --base: #f0a04b; --tuned: #6fb1ff; --missing: #16406f; --extra: #6d221b;
  --wrong: #5c4708 } }
body { background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif;
  max-width: 60rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem }
.verdict { font-size: 1.15rem } .soft, th { color: var(--soft) } .soft { font-size: .9rem }
th { font-weight: normal; text-align: start } tr:first-child th + th { text-align: end }
table { border-collapse: collapse } .wide { overflow-x: auto }
td, th { border-bottom: 1px solid var(--rule); padding: .2rem .8rem .2rem 0; vertical-align: top }
td.number { text-align: end; font-variant-numeric: tabular-nums; white-space: nowrap }
figure { margin: 1rem 0; max-width: 34rem } figcaption { color: var(--soft) }
svg { display: block; width: 100%; height: auto } svg text { font-size: 13px; fill: var(--ink) }
.whisker { fill: none; stroke: var(--ink); stroke-width: 1.5 }
.base { fill: var(--base) } .tuned { fill: var(--tuned) } .more { fill: var(--soft) }
.substitutions { fill: #8a63c9 } .deletions { fill: #2f8f83 } .insertions { fill: #c2417c }
.key::before { content: "■ " } .key.base { color: var(--base) } .key.tuned { color: var(--tuned) }
.key.substitutions { color: #8a63c9 } .key.deletions { color: #2f8f83 }
.key.insertions { color: #c2417c }
article { border-top: 1px solid var(--rule); padding: .8rem 0 }
article img { display: block; max-width: 100%; max-height: 24rem; margin: .4rem 0;
  background: #fff } article header { display: flex; flex-wrap: wrap; gap: .2rem 1rem }
article div.text { display: grid; grid-template-columns: 5rem 1fr; gap: .6rem }
article p { margin: .1rem 0; max-height: 14rem; overflow: auto; white-space: pre-wrap;
  font-size: 1.1rem }
.flag { color: var(--base); font-weight: bold }
del, ins, mark { color: inherit; border-radius: 3px; padding: 0 .1em }
del { background: var(--missing) } ins { background: var(--extra) }
mark { background: var(--wrong); text-decoration: underline dotted }
#filter { position: sticky; top: 0; background: var(--page); padding: .4rem 0 }
#filter * { font: inherit; max-width: 100% } [hidden] { display: none }
@media print { #filter { display: none }
  :root { color-scheme: light; --page: #fff; --ink: #000; --soft: #444;
  --rule: #bbb; --base: #b45309; --tuned: #1d6fd1; --missing: #cfe3ff; --extra: #ffd9d4;
  --wrong: #ffe9a8 } * { print-color-adjust: exact } .wide { overflow: visible }
  article, figure, tr { break-inside: avoid } article p { max-height: none }
  h2 { break-after: avoid } }
@media (max-width: 30rem) { article div.text { grid-template-columns: 1fr; gap: 0 } }
"""

TAGS = {"missing": "del", "extra": "ins", "wrong": "mark"}


def render_page(values: Mapping, pictures: Mapping[str, bytes], language: str = "en") -> str:
    """Return the HTML of a report's values (see `report.report_values`), pictures by id inside."""
    words, small = WORDS[language], values["lines"] > WHOLE_PICTURES
    parts = [
        f"<h1>{escape(words['title'])}</h1>",
        f'<p class="verdict">{escape(values["verdict"][language])}</p>',
        charts(values, words),
        _interval_sentence(values, words),
        f'<p class="soft">{_models(values, words)}</p>',
        f"<h2>{words['worst']}</h2>",
        _legend(values, words),
        controls(words),
        *(_line(line, pictures, words, small) for line in values["worst"][:SHOWN_LINES]),
        section("numbers", _numbers(values, words), words),
        _ranking(values, words),
        section("profiles", profiles(values, words), words),
        section("classes", _classes(values, words), words),
        breakdowns(values, words),
        section("contract", _contract(values), words),
        _conditions(values, words),
    ]
    return (
        f'<!DOCTYPE html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        # Whatever a picture or a text holds, this page asks nobody for anything.
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        f"img-src data:; style-src 'unsafe-inline'; script-src {script_source()}\">\n"
        f"<title>{escape(words['title'])}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(parts)
        + f"\n<script>{SCRIPT}</script>\n</body>\n</html>\n"
    )


def _interval_sentence(values: Mapping, words: Mapping[str, str]) -> str:
    difference = values["difference"]
    sentence = words["interval"].format(
        **{name: points(difference[name]) for name in ("cer", "low", "high")}
    )
    if not difference["few_lines"]:
        return f"<p>{escape(sentence)}</p>"
    return f'<p class="soft">{escape(sentence)} {escape(words["few_lines"])}</p>'


def _models(values: Mapping, words: Mapping[str, str]) -> str:
    models = values["models"]
    return (
        f"{words['base']}: {escape(models['base'])} · {words['tuned']}: {escape(models['tuned'])}"
        f" · {words['split']}: {escape(values['split'])} · {words['lines']}: {values['lines']:,}"
    )


def _legend(values: Mapping, words: Mapping[str, str]) -> str:
    marks = " ".join(f"<{tag}>{words[kind]}</{tag}>" for kind, tag in TAGS.items())
    if values["lines"] <= SHOWN_LINES:
        return f'<p class="soft">{marks}</p>'
    shown = words["shown"].format(shown=SHOWN_LINES, lines=f"{values['lines']:,}")
    return f'<p class="soft">{marks} · {escape(shown)}</p>'


def _line(
    line: Mapping, pictures: Mapping[str, bytes], words: Mapping[str, str], small: bool = False
) -> str:
    source = data_uri(pictures.get(line["picture_id"], b""), small)
    picture = (
        f'<img src="{source}" alt="">' if source else f'<p class="soft">{words["no_picture"]}</p>'
    )
    direction = "rtl" if line["right_to_left"] else "ltr"
    rows = [_text(words["reference"], direction, escape(line["reference"]))]
    for model in ("base", "tuned"):
        marked = _marked(line["reference"], line[model])
        rows.append(_text(words[model], direction, marked, _flags(line, model, words)))
    rates = f"CER {percent(line['base_cer'])} → {percent(line['tuned_cer'])}"
    return (
        f'<article data-kinds="{line_kinds(line)}"><header>'
        f"<bdi>{escape(line['picture_id'])}</bdi>"
        f'<span class="soft">{rates}</span></header>{picture}{"".join(rows)}</article>'
    )


def _text(name: str, direction: str, html: str, flags: str = "") -> str:
    return (
        f'<div class="text"><span class="soft">{name}{flags}</span><p dir="{direction}">{html}</p>'
        "</div>"
    )


def _flags(line: Mapping, model: str, words: Mapping[str, str]) -> str:
    flags = ""
    if line[f"{model}_looped"]:
        flags += f' <span class="flag">{words["loop"]}</span>'
    if line.get(f"{model}_cut"):
        flags += f' <span class="flag">{words["cut_short"]}</span>'
    if line[f"{model}_failed"]:
        why = escape(line[f"{model}_failed"])
        flags += f' <span class="flag">{words["failure"]}</span>: {why}'
    return flags


def _marked(reference: str, hypothesis: str) -> str:
    """Return the hypothesis as HTML with its differences from the reference marked."""
    html = ""
    for text, kind in marked_difference(reference, hypothesis):
        if kind == "equal":
            html += escape(text)
        else:
            html += f"<{TAGS[kind]}>{_visible(text)}</{TAGS[kind]}>"
    return html


def _visible(text: str) -> str:
    """Return marked text as HTML in which a space, a joiner or a control can be seen."""
    return "".join("␣" if unit == " " else escape(name_character(unit)) for unit in text)


def _numbers(values: Mapping, words: Mapping[str, str]) -> str:
    def cell(model: str, name: str) -> str:
        value = values[model][name]
        return percent(value) if name in RATES else f"{value:,}"

    rows = [[escape(words[name]), cell("base", name), cell("tuned", name)] for name in ROWS]
    rows += word_row(values, words)
    return table(["", words["base"], words["tuned"]], rows)


def _classes(values: Mapping, words: Mapping[str, str]) -> str:
    def cell(row: Mapping | None) -> str:
        return f"{percent(row['cer'])} ({row['errors']:,})" if row else "–"

    base = {row["name"]: row for row in values["classes"]["base"]}
    tuned = {row["name"]: row for row in values["classes"]["tuned"]}
    rows = [
        [escape(words[name]), cell(base.get(name)), cell(tuned.get(name))]
        for name in {**base, **tuned}
    ]
    return table([words["class"], f"{words['base']} CER (n)", f"{words['tuned']} CER (n)"], rows)


def _contract(values: Mapping) -> str:
    entries = {**values["contract"], "digest": values["contract_digest"]}
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(str(value))}</td></tr>"
        for name, value in entries.items()
    )
    return f"<table>{rows}</table>"


def _ranking(values: Mapping, words: Mapping[str, str]) -> str:
    """Return all that took part as a table, if they are more than the two of the comparison."""
    ranking = values.get("ranking")
    if not ranking or len(ranking["models"]) < 3:
        return ""
    differences = {(pair["first"], pair["second"]): pair for pair in ranking["pairs"]}
    rows = []
    for number, model in enumerate(ranking["models"], start=1):
        after = ranking["models"][number : number + 1]
        pair = differences.get((model["name"], after[0]["name"])) if after else None
        summary, span = model["summary"], sorted({model["best_place"], model["worst_place"]})
        counts = [f"{summary[name]:,}" for name in ("errors", "exact_lines", "failed")]
        place = "–".join(map(str, span))
        rows.append(
            [f"{place}. <bdi>{escape(model['name'])}</bdi>", percent(summary["cer"]), *counts]
            + [_interval(pair, words) if pair else ""]
        )
    head = ["", "CER", *(escape(words[name]) for name in ("errors", "exact_lines", "failed"))]
    notes = "".join(
        f'<p class="soft">{escape(model["name"])}: {escape(note)}</p>'
        for model in ranking["models"]
        for note in model["notes"]
    )
    decided = sum(pair["decided"] for pair in ranking["pairs"])
    sentence = words["pairs_decided"].format(
        decided=decided, pairs=len(ranking["pairs"]), chance=f"{ranking['decided_by_chance']:.1f}"
    )
    ranked = table([*head, escape(words["next_one"])], rows)
    return section("ranking", f'{ranked}<p class="soft">{escape(sentence)}</p>{notes}', words)


def _interval(pair: Mapping, words: Mapping[str, str]) -> str:
    """Return the difference of two models as HTML; greyed where it is not decided."""
    found = pair["difference"]
    text = f"{points(found['cer'])} ({points(found['low'])} … {points(found['high'])})"
    return text if pair["decided"] else f'<span class="soft">{text} {words["undecided"]}</span>'


def _conditions(values: Mapping, words: Mapping[str, str]) -> str:
    """Return which weights were compared, and what of the split was in train, as HTML."""
    known = values.get("conditions")
    if not known:
        return ""
    seen, unseen = known["seen"], known["unseen"]
    entries = {
        words["base_revision"]: known["base_revision"],
        words["adapter_revision"]: known["adapter_revision"],
        words["seen_picture"]: f"{seen['picture']:,}",
        words["seen_near_picture"]: f"{seen['near_picture']:,}",
        words["seen_text"]: f"{seen['text']:,}",
        words["lines_left_out"]: f"{seen['lines_left_out']:,}",
        words["unseen"].format(lines=f"{unseen['lines']:,}"): f"{percent(unseen['base_cer'])} → "
        f"{percent(unseen['tuned_cer'])}",
    }
    if not seen["train_samples"]:
        entries = dict(list(entries.items())[:2])
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>" for name, text in entries.items()
    )
    names = ", ".join(f"{one['picture_id']} = {one['train_id']}" for one in seen["listed"][:20])
    named = f'<p class="soft"><bdi>{escape(names)}</bdi></p>' if names else ""
    return f"<table>{rows}</table>{named}"


def data_uri(picture: bytes, small: bool = False) -> str:
    """Return an encoded image as a data URI that browsers show; empty if it is no image.

    small: as a thumbnail of at most LARGEST_THUMBNAIL bytes.
    """
    try:
        kind, encoded = _thumbnail(picture) if small else _displayable(picture)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return ""
    return f"data:image/{kind};base64,{base64.b64encode(encoded).decode('ascii')}"


def _displayable(picture: bytes) -> tuple[str, bytes]:
    """Return (kind, bytes) of the image: as it is if small and known to browsers, else re-coded."""
    with Image.open(BytesIO(picture)) as image:
        known = image.format in BROWSER_FORMATS and image.mode != "CMYK"
        if known and len(picture) <= LARGEST_INLINE:
            return BROWSER_FORMATS[image.format], picture
        small = _flatten(ImageOps.exif_transpose(image))
    small.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    kind = "png" if small.width * small.height <= LARGEST_PNG else "jpeg"
    encoded = BytesIO()
    small.save(encoded, kind)
    return kind, encoded.getvalue()


def _thumbnail(picture: bytes) -> tuple[str, bytes]:
    """Return (kind, bytes) of the image, made smaller until it is a thumbnail."""
    kind, encoded = _displayable(picture)
    for side in THUMBNAIL_SIDES:
        if len(encoded) <= LARGEST_THUMBNAIL:
            break
        with Image.open(BytesIO(picture)) as image:
            small = _flatten(ImageOps.exif_transpose(image))
        small.thumbnail((side, side))
        stream = BytesIO()
        small.save(stream, "webp", quality=50, method=2)
        kind, encoded = "webp", stream.getvalue()
    return kind, encoded


def _flatten(image: Image.Image) -> Image.Image:
    """Return the image in 8-bit grey or RGB, transparent parts white."""
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    if image.mode.startswith("I"):  # 16-bit scans; Pillow's own conversion clips them to white
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    return image.convert("L" if image.mode in ("1", "L") else "RGB")
