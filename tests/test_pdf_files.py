"""Pages of PDFs as pictures of an archive."""

import ctypes
import io
from pathlib import Path

import pypdfium2
import pytest
from PIL import Image
from shape_samples import make_zip, read, reasons, remark_keys, texts
from test_shapes_layouts import line, page_xml, region

from ocrtune.config import BuildConfig
from ocrtune.dataset import build_dataset
from ocrtune.dataset_files import load_samples
from ocrtune.errors import ArchiveError
from ocrtune.events import silent
from ocrtune.pdf_files import MOST_PIXELS
from ocrtune.records import SPLITS
from ocrtune.shapes import read_ground_truth
from ocrtune.sources import open_source


def pdf(pages=3, size=(100, 60), text=""):
    """Return a PDF of some pages, size in points, with a text layer on the first."""
    images = [Image.new("RGB", (50, 30), (40 * n, 90, 0)) for n in range(1, pages + 1)]
    buffer = io.BytesIO()
    dpi = 72 * 50 / size[0]
    images[0].save(buffer, "PDF", save_all=True, append_images=images[1:], resolution=dpi)
    if not text:
        return buffer.getvalue()
    book = pypdfium2.PdfDocument(buffer.getvalue())
    add_text(book, text)
    with io.BytesIO() as written:
        book.save(written)
        book.close()
        return written.getvalue()


def add_text(book, text):
    """Write a text onto the first page."""
    raw = pypdfium2.raw
    page = book[0]
    font = raw.FPDFText_LoadStandardFont(book, b"Helvetica")
    one = raw.FPDFPageObj_CreateTextObj(book, font, 12)
    encoded = ctypes.create_string_buffer((text + "\0").encode("utf-16-le"))
    raw.FPDFText_SetText(one, ctypes.cast(encoded, raw.FPDF_WIDESTRING))
    raw.FPDFPage_InsertObject(page, one)
    raw.FPDFPage_GenerateContent(page)


def locked():
    """Return a PDF with a password that nobody knows."""
    keys = b"/Filter /Standard /V 1 /R 2 /P -4 /O <%s> /U <%s>" % (b"ab" * 32, b"cd" * 32)
    more = b"trailer\n<< /Encrypt << %s >> /ID [<%s> <%s>]" % (keys, b"00" * 16, b"00" * 16)
    return pdf(1).replace(b"trailer\n<<", more)


def built(tmp_path, files, **settings):
    """Return the pictures of the dataset made of these files by their id."""
    source = make_zip(tmp_path / "s.zip", files)
    config = BuildConfig(source=str(source), output=str(tmp_path / "d"), **settings)
    report = build_dataset(config)
    samples = [one for split in SPLITS for one in load_samples(str(tmp_path / "d"), split)]
    images = {one.picture_id: Image.open(io.BytesIO(one.picture)) for one in samples}
    return report, images


def test_pages_are_drawn_as_pictures(tmp_path):
    lines = "".join(f"book.pdf#page={n} page {n}\n" for n in (1, 2, 3, 4))
    report, images = built(tmp_path, {"book.pdf": pdf(), "content.md": lines})
    assert {name: image.size for name, image in images.items()} == {
        f"book.pdf#page={n}": (417, 251)
        for n in (1, 2, 3)  # 100 x 60 points at 300 dpi
    }
    assert images["book.pdf#page=2"].getpixel((200, 100)) == pytest.approx((80, 90, 0), abs=3)
    assert [one["key"] for one in report.rejects] == ["no_picture"]
    assert report.conversions == {"PDF page to picture": 3}
    again, _ = built(tmp_path, {"book.pdf": pdf(), "content.md": lines})
    assert again == report


@pytest.mark.parametrize(
    "names",
    ["book_{:04}.gt.txt", "book/{}.txt", "book.pdf-{}.txt", "texts/page_{:02}.txt", "book p{}.txt"],
)
def test_texts_find_their_pages(tmp_path, names):
    files = {"book.pdf": pdf()} | {names.format(n): f"page {n}" for n in (1, 3)}
    truth = read(tmp_path, files)
    assert texts(truth) == {"book.pdf#page=1": "page 1", "book.pdf#page=3": "page 3"}


@pytest.mark.parametrize("written", ["book.pdf#page=2", "book_0002.jpg", "scans/book-2.tif"])
def test_lines_are_cut_out_of_pages(tmp_path, written):
    body = region("r", line("l", "a line", "100,100 300,100 300,150 100,150"))
    data = page_xml(body, written, 417, 250)
    files = {"book.pdf": pdf(), "xml/other.xml": data}
    assert texts(read(tmp_path, files)) == {"book.pdf#page=2#l": "a line"}


def test_a_huge_page_is_drawn_smaller(tmp_path):
    source = make_zip(tmp_path / "s.zip", {"a.pdf": pdf(1, (3000, 1800))})
    with open_source(BuildConfig(source=str(source), output=""), silent) as archive:
        image = Image.open(io.BytesIO(archive.read("a.pdf#page=1")))
    assert image.size == (MOST_PIXELS, MOST_PIXELS * 3 // 5)


@pytest.mark.parametrize(("text", "said"), [("", "no text layer"), ("Words", "a text layer")])
def test_a_pdf_alone_says_what_it_lacks(tmp_path, text, said):
    path = Path(tmp_path / "book.pdf")
    path.write_bytes(pdf(2, text=text))
    config = BuildConfig(source=str(path), output="")
    with open_source(config, silent) as archive:
        assert archive.names() == ["book.pdf", "book.pdf#page=1", "book.pdf#page=2"]
        with pytest.raises(ArchiveError, match=f"{said}.*book/1.txt") as refused:
            read_ground_truth(archive, config)
    assert "book.pdf#page=1 the text" in str(refused.value)
    (tmp_path / "book_2.txt").write_text("the second", "utf-8")
    (tmp_path / "other_2.txt").write_text("not of this book", "utf-8")
    with open_source(config, silent) as archive:
        assert texts(read_ground_truth(archive, config)) == {"book.pdf#page=2": "the second"}


@pytest.mark.parametrize(
    ("data", "key"),
    [
        (b"%PDF-1.7 no more", "pdf_damaged"),
        (b"", "pdf_damaged"),
        (locked(), "pdf_locked"),
    ],
)
def test_a_pdf_that_cannot_be_read_is_named(tmp_path, data, key):
    files = {"good.pdf": pdf(1), "bad.pdf": data, "content.md": "good.pdf#page=1 fine"}
    truth = read(tmp_path, files)
    assert (texts(truth), remark_keys(truth)) == ({"good.pdf#page=1": "fine"}, [key])
    files = {"bad.pdf": data}
    with pytest.raises(ArchiveError, match="no sound PDF|by a password"):
        read(tmp_path, files)


def test_a_long_pdf_ends_early_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("ocrtune.pdf_files.MOST_PAGES", 2)
    lines = "".join(f"book.pdf#page={n} page {n}\n" for n in (1, 2, 3))
    truth = read(tmp_path, {"book.pdf": pdf(), "content.md": lines})
    assert (len(truth.entries), reasons(truth)) == (2, ["no_picture"])
    assert remark_keys(truth) == ["pdf_long"]
