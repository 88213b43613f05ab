"""XML from strangers as a plain tree: no entities, no outside files, bounded in size and depth."""

from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from ocrtune.errors import DatasetError
from ocrtune.remarks import Remark, remark

MAX_BYTES = 32 * 1024 * 1024  # of one file; a newspaper page with its words has 5
MAX_DEPTH = 100
MAX_ELEMENTS = 1_000_000
# What no reader here looks into: it can be nine tenths of a file.
SKIPPED = frozenset(("Glyph", "Styles", "Tags", "Processing", "OCRProcessing", "Labels"))
LINE = "line#"  # attribute that holds the line of the file where an element begins; no XML name


class XmlError(DatasetError):
    """An XML file is damaged or not safe to read; the remark says why."""

    def __init__(self, reason: Remark) -> None:
        super().__init__(str(reason), "")
        self.reason = reason


def parse_xml(data: bytes) -> Element:
    """Return the root of an XML file, tags without their namespaces; an XmlError says why not.

    Each element knows its line by the attribute LINE. Entities cannot be declared: that is how a
    small file grows to gigabytes, or reads another one of this machine.
    """
    if len(data) > MAX_BYTES:
        raise XmlError(remark("xml_large", most=MAX_BYTES // 2**20))
    parser = expat.ParserCreate()
    parser.buffer_text = True
    builder = TreeBuilder()
    depth = skipped = elements = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth, skipped, elements
        depth += 1
        elements += 1
        if depth > MAX_DEPTH or elements > MAX_ELEMENTS:
            raise XmlError(remark("xml_deep", depth=MAX_DEPTH, elements=MAX_ELEMENTS))
        tag = tag.rpartition(":")[2]
        if skipped or tag in SKIPPED:
            skipped += 1
            return
        attributes[LINE] = str(parser.CurrentLineNumber)
        builder.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal depth, skipped
        depth -= 1
        if skipped:
            skipped -= 1
        else:
            builder.end(tag.rpartition(":")[2])

    def words(text: str) -> None:
        if not skipped:
            builder.data(text)

    def refuse(*declaration: object) -> None:
        raise XmlError(remark("xml_entities"))

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = words
    parser.EntityDeclHandler = refuse
    parser.ExternalEntityRefHandler = refuse
    try:
        parser.Parse(data, True)
        return builder.close()
    except (expat.ExpatError, ValueError, AssertionError, LookupError) as error:
        raise XmlError(remark("xml_damaged", cause=str(error)[:100])) from error


def line_of(element: Element) -> int:
    """Return the line of the file where an element begins."""
    return int(element.get(LINE, "0"))


def number(value: str | None) -> float | None:
    """Return the number that an attribute holds, or None."""
    try:
        found = float(value) if value else None
    except ValueError:
        return None
    return found if found is not None and abs(found) < 1e6 else None
