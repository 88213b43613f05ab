"""Drawings as inline SVG, and the charts of report.html made of them."""

from collections.abc import Mapping
from html import escape

from ocrtune.report_charts import drawings
from ocrtune.report_drawings import Bar, Dot, Drawing, Stroke, Words


def charts(values: Mapping, words: Mapping[str, str]) -> str:
    """Return all charts of a report's values as HTML."""
    return "".join(figure(one) for one in drawings(values, words))


def figure(drawing: Drawing) -> str:
    """Return a drawing under its title as HTML, its key and its note below."""
    keys = " ".join(f'<span class="key {kind}">{escape(name)}</span>' for kind, name in drawing.key)
    key = f"<p>{keys}</p>" if keys else ""
    note = f'<p class="soft">{escape(drawing.note)}</p>' if drawing.note else ""
    return (
        f"<figure><figcaption>{escape(drawing.title)}</figcaption>{svg(drawing)}{key}{note}"
        "</figure>"
    )


def svg(drawing: Drawing) -> str:
    """Return a drawing as an SVG element; its kinds are classes that a style sheet colours."""
    return (
        f'<svg role="img" aria-label="{escape(drawing.title)}" '
        f'viewBox="0 0 {drawing.width:g} {drawing.height:g}">'
        f"{''.join(element(shape) for shape in drawing.shapes)}</svg>"
    )


def element(shape: Bar | Stroke | Dot | Words) -> str:
    """Return one shape as an SVG element."""
    match shape:
        case Bar():
            told = f"<title>{escape(shape.title)}</title>" if shape.title else ""
            return (
                f'<rect class="{shape.kind}" x="{shape.x:.1f}" y="{shape.y:.1f}" '
                f'width="{shape.width:.1f}" height="{shape.height:.1f}">{told}</rect>'
            )
        case Stroke():
            places = "L".join(f"{x:.1f} {y:.1f}" for x, y in shape.points)
            dashed = " dashed" if shape.is_dashed else ""
            return f'<path class="stroke {shape.kind}{dashed}" d="M{places}"/>'
        case Dot():
            hollow = " hollow" if shape.is_hollow else ""
            return (
                f'<circle class="{shape.kind}{hollow}" cx="{shape.x:.1f}" cy="{shape.y:.1f}" '
                f'r="{shape.radius:g}"/>'
            )
        case Words():
            told = f"<title>{escape(shape.title)}</title>" if shape.title else ""
            soft = ' class="soft"' if shape.is_soft else ""
            return (
                f'<text{soft} x="{shape.x:.1f}" y="{shape.y:.1f}" text-anchor="{shape.align}">'
                f"{told}{escape(shape.text)}</text>"
            )
