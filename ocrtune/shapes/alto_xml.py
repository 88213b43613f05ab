"""ALTO, versions 2 to 4: as eScriptorium, kraken, Tesseract, ABBYY and libraries write it."""

from xml.etree.ElementTree import Element

from ocrtune.shapes.layout import (
    Line,
    PageLayout,
    add_bands,
    box_outline,
    outline_around,
    outline_of,
    parse_points,
)
from ocrtune.shapes.xml_tree import line_of, number


def read_alto_xml(root: Element) -> list[PageLayout]:
    """Return the pages of an ALTO file with their lines in the file's order."""
    unit = (root.findtext("Description/MeasurementUnit") or "pixel").strip().lower()
    source = root.find("Description/sourceImageInformation")
    written = [] if source is None else [source.findtext(tag) for tag in ("fileName",)]
    pictures = [name.strip() for name in written if name and name.strip()]
    return [read_page(page, pictures, unit) for page in root.iter("Page")]


def read_page(page: Element, pictures: list[str], unit: str) -> PageLayout:
    """Return one page."""
    width, height = number(page.get("WIDTH")), number(page.get("HEIGHT"))
    sheet = page.get("PHYSICAL_IMG_NR", "")
    books = [f"{name}#page={sheet}" for name in pictures if name.lower().endswith(".pdf")]
    layout = PageLayout(
        pictures=[*books, *pictures],
        size=(round(width), round(height)) if width and height else (),
        unit=unit,
    )
    for place, element in enumerate(page.iter("TextLine"), start=1):
        layout.lines.append(read_line(element, f"line_{place}"))
    add_bands(layout)
    return layout


def read_line(element: Element, name: str) -> Line:
    """Return one line: its polygon, else its box, else the box around its words."""
    words = [child for child in element if child.tag == "String"]
    polygon = element.find("Shape/Polygon")
    points = parse_points(polygon.get("POINTS", "")) if polygon is not None else []
    boxes = [box_of(word) for word in words]
    return Line(
        id=element.get("ID") or name,
        text=text_of(element),
        outline=outline_of(points) or box_of(element) or outline_around(boxes),
        baseline=baseline_of(element),
        line_number=line_of(element),
    )


def text_of(element: Element) -> str:
    """Return the words of a line, with a space where one is marked or none is marked at all."""
    parts: list[str] = []
    marked = any(child.tag == "SP" for child in element)
    for child in element:
        if child.tag == "String":
            after_word = parts and parts[-1] != " "
            parts += [" "] if after_word and not marked else []
            parts.append(child.get("CONTENT", ""))
        elif child.tag == "SP":
            parts.append(" ")
        elif child.tag == "HYP":
            parts.append(child.get("CONTENT") or "-")
    return "".join(parts).strip()


def box_of(element: Element) -> str:
    """Return the outline of an element's box, or an empty string."""
    values = [number(element.get(name)) for name in ("HPOS", "VPOS", "WIDTH", "HEIGHT")]
    if None in values or values[2] <= 0 or values[3] <= 0:
        return ""
    return box_outline(*values)


def baseline_of(element: Element) -> str:
    """Return the baseline as points; a single number is its height, as before ALTO 4.1."""
    written = element.get("BASELINE", "").strip()
    if (height := number(written)) is None:
        return written
    left, width = number(element.get("HPOS")), number(element.get("WIDTH"))
    return "" if left is None or width is None else f"{left},{height} {left + width},{height}"
