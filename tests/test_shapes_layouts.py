"""PAGE XML and ALTO as eScriptorium, Transkribus, OCR-D, kraken and libraries write them."""

import io
import random

import numpy as np
import pytest
from PIL import Image
from shape_samples import make_zip, page_png, png, read, reasons, remark_keys, texts

from ocrtune.config import BuildConfig
from ocrtune.dataset import build_dataset
from ocrtune.dataset_files import load_samples, read_build_report
from ocrtune.errors import ArchiveError
from ocrtune.records import SPLITS
from ocrtune.shapes.layout import outline_of, parse_points
from ocrtune.shapes.layout_files import xml_kind
from ocrtune.shapes.xml_tree import MAX_DEPTH, XmlError, parse_xml

NAMESPACE = "http://schema.primaresearch.org/PAGE/gts/pagecontent/{}"


def page_xml(body, picture="page.png", width=200, height=100, year="2019-07-15", order=""):
    """Return a PAGE file around some regions."""
    return (
        f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        f'<PcGts xmlns="{NAMESPACE.format(year)}">\n'
        f"<Metadata><Creator>escriptorium</Creator></Metadata>\n"
        f'<Page imageFilename="{picture}" imageWidth="{width}" imageHeight="{height}">{order}\n'
        f"{body}</Page></PcGts>"
    )


def line(name, text, points="10,10 90,10 90,30 10,30", more=""):
    """Return a TextLine of PAGE."""
    words = f"<TextEquiv><Unicode>{text}</Unicode></TextEquiv>" if text is not None else ""
    coords = f'<Coords points="{points}"/>' if points else ""
    return f'<TextLine id="{name}">{coords}{more}{words}</TextLine>\n'


def region(name, *lines, attributes="", text=""):
    """Return a TextRegion of PAGE."""
    words = f"<TextEquiv><Unicode>{text}</Unicode></TextEquiv>" if text else ""
    coords = '<Coords points="0,0 199,0 199,99 0,99"/>'
    return f'<TextRegion id="{name}" {attributes}>{coords}{"".join(lines)}{words}</TextRegion>'


def alto_xml(lines, picture="page.png", unit="pixel", size='WIDTH="200" HEIGHT="100"', version=4):
    """Return an ALTO file around some lines."""
    return (
        f'<?xml version="1.0"?><alto xmlns="http://www.loc.gov/standards/alto/ns-v{version}#">'
        f"<Description><MeasurementUnit>{unit}</MeasurementUnit><sourceImageInformation>"
        f"<fileName>{picture}</fileName></sourceImageInformation></Description><Layout>"
        f'<Page ID="p" PHYSICAL_IMG_NR="1" {size}><PrintSpace><ComposedBlock><TextBlock ID="b">'
        f"{lines}</TextBlock></ComposedBlock></PrintSpace></Page></Layout></alto>"
    )


def alto_line(name, content, box=(10, 10, 80, 20), inner=""):
    """Return a TextLine of ALTO."""
    places = 'HPOS="{}" VPOS="{}" WIDTH="{}" HEIGHT="{}"'.format(*box)
    return f'<TextLine ID="{name}" {places}>{inner}{content}</TextLine>'


@pytest.mark.parametrize("year", ["2010-03-19", "2013-07-15", "2017-07-15", "2019-07-15"])
@pytest.mark.parametrize(
    ("xml", "written", "picture"),
    [
        ("page.xml", "page.png", "page.png"),
        ("doc/page/0001.xml", "0001.png", "doc/0001.png"),  # Transkribus
        ("GT-PAGE/f_1.xml", "OCR-D-IMG/f_1.png", "OCR-D-IMG/f_1.png"),
        ("a/p.xml", "https://x.org/get/scan%201.png?id=5", "a/scan 1.png"),
        ("xml/f7.xml", "not-here.tif", "img/f7.png"),  # by the stem of the XML
        ("a/1.xml", r"C:\\scans\\1.png", "a/1.png"),
    ],
)
def test_page_xml_finds_its_picture(tmp_path, year, xml, written, picture):
    data = page_xml(region("r", line("l1", "Grüße")), written, year=year)
    truth = read(tmp_path, {xml: data, picture: page_png({}), "mets.xml": "<mets/>"})
    assert (truth.shape, texts(truth), truth.rejects) == ("page", {f"{picture}#l1": "Grüße"}, [])
    [entry] = truth.entries
    assert (entry.group, entry.frame, entry.file) == (picture, (200, 100), xml)


def test_prefixed_and_utf16_page_xml(tmp_path):
    data = page_xml(region("r", line("l1", "ok")))
    prefixed = data.replace("<", "<pc:").replace("<pc:/", "</pc:").replace("<pc:?", "<?")
    prefixed = prefixed.replace("xmlns=", "xmlns:pc=")
    assert texts(read(tmp_path, {"a.xml": prefixed, "page.png": page_png({})})) == {
        "page.png#l1": "ok"
    }
    data = data.replace("UTF-8", "UTF-16").encode("utf-16")
    assert texts(read(tmp_path, {"a.xml": data, "page.png": page_png({})})) == {"page.png#l1": "ok"}


def test_the_text_of_a_line_is_the_first_version_or_that_of_its_words(tmp_path):
    versions = '<TextEquiv index="1"><Unicode>second</Unicode></TextEquiv>'
    versions += '<TextEquiv index="0"><Unicode>first</Unicode></TextEquiv>'
    scored = '<TextEquiv conf="0.4"><Unicode>worse</Unicode></TextEquiv>'
    scored += '<TextEquiv conf="0.9"><Unicode>better</Unicode></TextEquiv>'
    word = '<Word id="w{0}"><Coords points="{0}0,5 {1}0,5 {1}0,25 {0}0,25"/><TextEquiv><Unicode>'
    word += "w{0}</Unicode></TextEquiv><Glyph><TextEquiv><Unicode>g</Unicode></TextEquiv></Glyph>"
    word += "</Word>"
    words = word.format(1, 2) + word.format(3, 4)
    body = region(
        "r",
        line("a", None, more=versions),
        line("b", None, more=scored),
        line("c", None, points="", more=words),
    )
    truth = read(tmp_path, {"page.xml": page_xml(body), "page.png": page_png({})})
    assert list(texts(truth).values()) == ["first", "better", "w1 w3"]
    assert truth.entries[2].outline == "10,5 40,5 40,25 10,25"


def test_lines_that_cannot_be_used_are_named(tmp_path):
    body = region("r", line("a", " "), line("b", "no place", points=""), line("c", "\ufffd"))
    body += region("s", text="a region without lines")
    truth = read(tmp_path, {"page.xml": page_xml(body), "page.png": page_png({})}, shape="page")
    assert reasons(truth) == ["line_no_text", "line_no_place", "unreadable", "region_no_lines"]
    assert truth.rejects[0].line_number == 5
    assert "Line `a` has no text" in str(truth.rejects[0].reason)


def test_a_baseline_becomes_a_band_between_its_neighbours(tmp_path):
    lines = [
        line(f"l{n}", "x", points="", more=f'<Baseline points="10,{n * 20} 90,{n * 20}"/>')
        for n in (1, 2, 3)
    ]
    truth = read(tmp_path, {"page.xml": page_xml(region("r", *lines)), "page.png": page_png({})})
    assert truth.entries[1].outline == "10,25 90,25 90,45 10,45"


def test_reading_order_of_page_xml(tmp_path):
    order = '<ReadingOrder><OrderedGroup id="g"><RegionRefIndexed index="1" regionRef="r1"/>'
    order += '<OrderedGroupIndexed index="0" id="h"><RegionRefIndexed index="0" regionRef="r2"/>'
    order += "</OrderedGroupIndexed></OrderedGroup></ReadingOrder>"
    custom = 'custom="readingOrder {{index:{};}}"'
    swapped = [
        line(name, name).replace("<TextLine", f"<TextLine {custom.format(at)}")
        for name, at in (("d", 1), ("c", 0))
    ]
    body = region("r0", line("e", "e")) + region("r1", *swapped) + region("r2", line("b", "b"))
    files = {"page.xml": page_xml(body, order=order), "page.png": page_png({})}
    truth = read(tmp_path, files, shape="pages")
    assert (texts(truth), truth.shape) == ({"page.png": "b\nc\nd\ne"}, "pages")
    assert list(texts(read(tmp_path, files)).values()) == ["b", "c", "d", "e"]


def test_alto_with_spaces_hyphens_and_polygons(tmp_path):
    words = '<String CONTENT="Ein"/><SP WIDTH="5"/><String CONTENT="Wort"/><HYP CONTENT="-"/>'
    plain = '<String CONTENT="no"/><String CONTENT="spaces"/>'
    shape = '<Shape><Polygon POINTS="10 40 90 42 90 60 50 62 10 60"/></Shape>'
    lines = alto_line("a", words) + alto_line("b", plain, inner=shape) + alto_line("c", "")
    lines += '<TextLine ID="d"><String CONTENT="w" HPOS="1" VPOS="2" WIDTH="9" HEIGHT="8"/>'
    lines += "</TextLine>"
    truth = read(tmp_path, {"x/page.xml": alto_xml(lines), "x/page.png": page_png({})})
    assert truth.shape == "alto"
    assert list(texts(truth).values()) == ["Ein Wort-", "no spaces", "w"]
    assert [entry.outline for entry in truth.entries] == [
        "10,10 90,10 90,30 10,30",
        "10,40 90,42 90,60 50,62 10,60",
        "1,2 10,2 10,10 1,10",
    ]
    assert reasons(truth) == ["line_no_text"]


def test_alto_in_tenths_of_millimetres(tmp_path):
    word = '<String CONTENT="x"/>'
    files = {"page.png": page_png({}, 400, 200)}
    known = alto_xml(alto_line("a", word), unit="mm10", version=2)
    assert read(tmp_path, files | {"page.xml": known}).entries[0].frame == (200, 100)
    unknown = alto_xml(alto_line("a", word), unit="mm10", size="")
    truth = read(tmp_path, files | {"page.xml": unknown})
    assert (reasons(truth), truth.entries) == (["alto_unit"], [])


# What is not safe, or not sound


def bomb(levels):
    """Return the start of a PAGE file whose entities grow tenfold with each level."""
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, levels))
    return f'<!DOCTYPE PcGts [<!ENTITY e0 "lol">{entities}]>'


@pytest.mark.parametrize(
    ("doctype", "text", "key"),
    [
        (bomb(10), "&e9;", "xml_entities"),
        (f'<!DOCTYPE PcGts [<!ENTITY a "{"x" * 90_000}">]>', "&a;" * 9_000, "xml_entities"),
        ('<!DOCTYPE PcGts [<!ENTITY a SYSTEM "file:///etc/passwd">]>', "&a;", "xml_entities"),
        ('<!DOCTYPE PcGts [<!ENTITY % a SYSTEM "http://x/y.dtd"> %a;]>', "t", "xml_entities"),
        ("", "&unknown;", "xml_damaged"),
        ("", "</TextLine>", "xml_damaged"),
        ("", "<a>" * (MAX_DEPTH + 1), "xml_deep"),
    ],
)
def test_hostile_xml_is_refused_with_a_sentence(tmp_path, doctype, text, key):
    data = page_xml(region("r", line("l", text))).replace("?>\n", f"?>\n{doctype}", 1)
    good = page_xml(region("r", line("l", "fine")))
    files = {"page.png": page_png({}), "a.xml": data, "page.xml": good}
    truth = read(tmp_path, files)
    assert (reasons(truth), texts(truth)) == ([key], {"page.png#l": "fine"})


def test_a_doctype_alone_does_no_harm():
    root = parse_xml(b'<!DOCTYPE alto SYSTEM "http://x/alto.dtd"><alto><a:b xmlns:a="x"/></alto>')
    assert (root.tag, root[0].tag) == ("alto", "b")


def test_huge_xml_is_refused(monkeypatch):
    monkeypatch.setattr("ocrtune.shapes.xml_tree.MAX_BYTES", 100)
    monkeypatch.setattr("ocrtune.shapes.xml_tree.MAX_ELEMENTS", 3)
    with pytest.raises(XmlError, match="larger than"):
        parse_xml(b"<a>" + b" " * 100 + b"</a>")
    with pytest.raises(XmlError, match="more than 3 elements"):
        parse_xml(b"<a><b/><b/><b/></a>")


def test_damaged_layout_files_never_crash(tmp_path):
    sound = page_xml(region("r", line("l", "fine"), line("m", "x", "1,1 9,9 2,,3 a,b")))
    chance = random.Random(1)
    picture = page_png({})
    for _ in range(150):
        data = bytearray(sound.encode())
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(300, len(data))
            data[at : at + chance.randint(0, 9)] = chance.randbytes(chance.randint(0, 4))
        truth = read(tmp_path, {"a.xml": bytes(data), "page.png": picture}, shape="page")
        assert truth.entries or truth.rejects


def test_points_of_every_spelling():
    assert parse_points("1,2 3.6,4") == [(1, 2), (3.6, 4)]
    assert parse_points("1 2 3 4") == [(1, 2), (3, 4)]
    assert outline_of([(1, 1), (1, 1), (2, 2)]) == ""
    assert outline_of(parse_points("9,1 1,1 1,5 9,5 9,1")) == "1,1 9,1 9,5 1,5"
    assert xml_kind(b"<altogether/>") == ""


def test_a_page_without_its_picture_is_told_once(tmp_path):
    files = {"a.xml": page_xml(region("r", line("l", "one"), line("m", "two")), "gone.png")}
    truth = read(tmp_path, files | {"other.png": png(), "x.xml": "<TEI/>"}, shape="page")
    assert reasons(truth) == ["no_picture"]
    assert truth.rejects[0].original == "one\ntwo"
    assert "xml_others" in remark_keys(truth)
    with pytest.raises(ArchiveError, match="holds no ALTO"):
        read(tmp_path, files, shape="alto")


# Lines cut out


def crops(tmp_path, files, **settings):
    """Return the pictures of a dataset made of these files: {part: RGB array}."""
    files = files | {f"more/{n}.png": page_png({(20, 15, 30 + n, 25): "red"}) for n in range(3)}
    for n in range(3):
        body = region("r", line("z", "filler"))
        files[f"more/{n}.xml"] = page_xml(body, f"{n}.png")
    source = make_zip(tmp_path / "s.zip", files)
    config = BuildConfig(source=str(source), output=str(tmp_path / "d"), **settings)
    build_dataset(config)
    found = {}
    for split in SPLITS:
        for sample in load_samples(str(tmp_path / "d"), split):
            if not sample.picture_id.startswith("more/"):
                image = Image.open(io.BytesIO(sample.picture)).convert("RGB")
                found[sample.picture_id.rpartition("#")[2]] = np.asarray(image).astype(int)
    return found


def near(array, colour, tolerance=3):
    """Whether all pixels have about this colour."""
    return np.abs(array - np.array(colour)).max() <= tolerance


PAPER, NAVY, RED = (240, 235, 220), (0, 0, 128), (255, 0, 0)


def test_a_line_is_cut_along_its_outline_and_the_rest_is_paper(tmp_path):
    page = page_png({(20, 40, 119, 59): NAVY, (20, 15, 60, 34): RED}, 200, 100)
    body = region(
        "r",
        line("boxed", "x", "20,40 120,40 120,60 20,60"),
        # an outline around the navy bar that makes room below the red one
        line("bent", "y", "70,15 120,15 120,60 20,60 20,40 70,40"),
        line("outside", "z", "300,10 400,10 400,30 300,30"),
        line("thin", "z", "10,10 50,10 50,11 10,11"),
    )
    found = crops(tmp_path, {"page.xml": page_xml(body), "page.png": page})
    assert set(found) == {"boxed", "bent"}
    boxed = found["boxed"]
    assert boxed.shape == (28, 108, 3)  # 20 x 100 and a margin of 4 pixels around
    assert near(boxed[4:-4, 4:-4], NAVY)
    assert near(boxed[:3], PAPER)
    bent = found["bent"]
    assert bent.shape[:2] == (55, 110)
    assert near(bent[:15, :40], PAPER)  # the red bar is not part of the line
    assert near(bent[34:48, 10:100], NAVY)
    rejects = read_build_report(str(tmp_path / "d"))["rejects"]
    assert [one["key"] for one in rejects] == ["line_outside", "line_small"]
    assert "`outside`" in rejects[0]["reason"]


def test_outlines_are_scaled_to_the_picture(tmp_path):
    page = page_png({(40, 80, 239, 119): NAVY}, 400, 200)
    body = region("r", line("l", "x", "20,40 120,40 120,60 20,60"))
    found = crops(tmp_path, {"page.xml": page_xml(body), "page.png": page})
    assert near(found["l"][5:-5, 5:-5], NAVY)
    assert found["l"].shape == (50, 210, 3)


def test_a_page_of_other_proportions_is_refused(tmp_path):
    page = page_png({}, 200, 200)
    body = region("r", line("l", "x"))
    assert crops(tmp_path, {"page.xml": page_xml(body), "page.png": page}) == {}
    [one] = read_build_report(str(tmp_path / "d"))["rejects"]
    assert one["key"] == "other_proportions"


def test_outlines_of_a_page_stored_on_its_side_turn_with_it(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned clockwise by a quarter
    page = page_png({(20, 40, 119, 59): NAVY}, 200, 100, "JPEG", exif=exif, quality=95)
    body = region("r", line("l", "x", "20,40 120,40 120,60 20,60"))
    files = {"page.xml": page_xml(body, "page.jpg"), "page.jpg": page}
    found = crops(tmp_path, files)["l"]
    assert found.shape == (108, 28, 3)
    assert near(found[8:-8, 8:-8], NAVY, 8)


@pytest.mark.parametrize("mode", ["1", "L"])
def test_lines_of_grey_and_black_and_white_pages(tmp_path, mode):
    image = Image.open(io.BytesIO(page_png({(20, 40, 119, 59): "black"}))).convert(mode)
    buffer = io.BytesIO()
    image.save(buffer, "TIFF")
    body = region("r", line("l", "x", "20,40 70,38 120,40 120,60 20,60"))
    files = {"page.xml": page_xml(body, "page.tif"), "page.tif": buffer.getvalue()}
    found = crops(tmp_path, files)["l"]
    assert near(found[10:-6, 10:-10], (0, 0, 0))
    assert found[0, 0].min() > 200


def test_whole_pages_of_the_same_files(tmp_path):
    files = {f"{n}.png": page_png({(0, 0, n, n): RED}) for n in range(3)}
    for n in range(3):
        files[f"{n}.xml"] = page_xml(region("r", line("l", f"page {n}")), f"{n}.png")
    source = make_zip(tmp_path / "s.zip", files)
    config = BuildConfig(source=str(source), output=str(tmp_path / "d"), shape="pages")
    report = build_dataset(config)
    assert (report.samples, report.shape) == (3, "pages")
    samples = [one for split in SPLITS for one in load_samples(str(tmp_path / "d"), split)]
    assert {one.picture_id: one.picture for one in samples} == {
        name: data for name, data in files.items() if name.endswith(".png")
    }
