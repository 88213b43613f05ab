"""PAGE XML of all its namespaces: as eScriptorium, Transkribus and OCR-D write it."""

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from ocrtune.shapes.layout import (
    Line,
    PageLayout,
    add_bands,
    kept_outline,
    outline_around,
    outline_of,
    parse_points,
)
from ocrtune.shapes.xml_tree import line_of, number

READING_INDEX = re.compile(r"readingOrder\s*\{[^}]*\bindex\s*:\s*(\d+)")
REGIONS = ("TextRegion", "TableRegion", "TableCell", "ImageRegion", "GraphicRegion")
REGIONS += ("MapRegion", "AdvertRegion", "ChemRegion", "MathsRegion", "MusicRegion")
REGIONS += ("LineDrawingRegion", "ChartRegion", "SeparatorRegion", "NoiseRegion")
REGIONS += ("UnknownRegion", "CustomRegion")


def read_page_xml(root: Element) -> list[PageLayout]:
    """Return the pages of a PAGE file, normally one, with their lines in reading order."""
    return [read_page(page) for page in root.iter("Page")]


def read_page(page: Element) -> PageLayout:
    """Return one page."""
    width, height = number(page.get("imageWidth")), number(page.get("imageHeight"))
    layout = PageLayout(
        pictures=[name for name in (page.get("imageFilename", "").strip(),) if name],
        size=(round(width), round(height)) if width and height else (),
    )
    for region in in_reading_order(page):
        read_region(region, layout)
    for number_, element in enumerate(page.findall("TextLine"), start=1):
        layout.lines.append(read_line(element, f"line_{number_}"))
    add_bands(layout)
    return layout


def in_reading_order(page: Element) -> list[Element]:
    """Return the regions of the page in its reading order; those outside of it come last."""
    regions = [child for child in page if child.tag in REGIONS]
    order = page.find("ReadingOrder")
    ids = list(ordered_ids(order)) if order is not None else []
    places = {region: place for place, region in reversed(list(enumerate(ids)))}
    if not places:
        return by_index(regions)
    return sorted(regions, key=lambda region: places.get(region.get("id"), len(places)))


def ordered_ids(group: Element) -> Iterator[str]:
    """Yield the regions that a reading order names, its groups by their index."""
    children = list(group)
    if all(child.get("index", "").isdecimal() for child in children):
        children.sort(key=lambda child: int(child.get("index")))
    for child in children:
        if region := child.get("regionRef"):
            yield region
        yield from ordered_ids(child)


def by_index(elements: list[Element]) -> list[Element]:
    """Return the elements by the reading index that Transkribus gives each; else as they are."""
    indexes = [READING_INDEX.search(element.get("custom", "")) for element in elements]
    if not elements or not all(indexes):
        return elements
    order = sorted(range(len(elements)), key=lambda place: int(indexes[place][1]))
    return [elements[place] for place in order]


def read_region(region: Element, layout: PageLayout) -> None:
    """Add the lines of a region, then those of the regions within it."""
    elements = by_index([child for child in region if child.tag == "TextLine"])
    inner = [child for child in region if child.tag in REGIONS]
    name = region.get("id", "")
    for element in elements:
        layout.lines.append(read_line(element, f"{name}_{len(layout.lines) + 1}"))
    for child in by_index(inner):
        read_region(child, layout)
    if not elements and not inner and (text := text_of(region)):
        outline = coords(region)
        bare = Line(id=name, text=text, outline=outline, line_number=line_of(region))
        layout.bare.append(bare)


def read_line(element: Element, name: str) -> Line:
    """Return one line: its own text, else its words; its own outline, else that of its words."""
    words = element.findall("Word")
    text = text_of(element) or " ".join(filter(None, map(text_of, words)))
    baseline = element.find("Baseline")
    return Line(
        id=element.get("id") or name,
        text=text,
        outline=coords(element) or outline_around([coords(word) for word in words]),
        baseline=points_of(baseline) if baseline is not None else "",
        line_number=line_of(element),
    )


def text_of(element: Element) -> str:
    """Return the text of an element: of the first index, else of the highest confidence."""
    versions = [child for child in element if child.tag == "TextEquiv"]
    texts = [(version, unicode_of(version)) for version in versions]
    texts = [(version, text) for version, text in texts if text]
    if not texts:
        return ""
    indexed = [pair for pair in texts if number(pair[0].get("index")) is not None]
    if indexed:
        return min(indexed, key=lambda pair: number(pair[0].get("index")))[1]
    return max(texts, key=lambda pair: number(pair[0].get("conf")) or 0.0)[1]


def unicode_of(version: Element) -> str:
    """Return the words of a TextEquiv."""
    for tag in ("Unicode", "PlainText"):
        if text := (version.findtext(tag) or "").strip():
            return text
    return ""


def coords(element: Element) -> str:
    """Return the outline of an element, or an empty string."""
    found = element.find("Coords")
    if found is None:
        return ""
    points = points_of(found)
    return kept_outline(points) or outline_of(parse_points(points))


def points_of(element: Element) -> str:
    """Return the points of an element: its attribute, or as PAGE 2010 writes them."""
    if points := element.get("points"):
        return points
    old = (f"{point.get('x', '')},{point.get('y', '')}" for point in element.findall("Point"))
    return " ".join(old)
