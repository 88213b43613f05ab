"""A comparison from samples and predictions, its verdict, and the three files people keep."""

import base64
import csv
import hashlib
import json
import re
from html.parser import HTMLParser
from io import BytesIO
from types import MappingProxyType

import pytest
from PIL import Image

from ocrtune import report_page
from ocrtune.errors import MetricsError
from ocrtune.records import OcrContract, Prediction, Sample
from ocrtune.report import build_comparison, read_report, report_values, verdict, write_report
from ocrtune.report_filter import SCRIPT
from ocrtune.report_page import percent, points
from ocrtune.report_pictures import data_uri
from ocrtune.report_words import SENTENCES, WORDS

CONTRACT = OcrContract(
    family="tiny",
    base_model="tiny",
    revision="abc",
    prompt="<image>\nFree OCR.",
    layout="line",
    max_new_tokens=64,
    no_repeat_ngram=0,
    ngram_window=0,
)


def picture(kind: str = "PNG", size: tuple[int, int] = (40, 12), mode: str = "L") -> bytes:
    stream = BytesIO()
    Image.new(mode, size).save(stream, kind)
    return stream.getvalue()


def compare(rows, contract=CONTRACT, split="test", draws=500):
    """Return the comparison of rows (picture id, reference, base text, tuned text)."""
    samples = [Sample(picture_id=row[0], picture=picture(), text=row[1]) for row in rows]
    base, tuned = (
        [Prediction(picture_id=row[0], text=row[column], seconds=0.1, model=model) for row in rows]
        for column, model in ((2, "tiny"), (3, "tiny + RUN/adapter"))
    )
    return build_comparison(contract, split, samples, base, tuned, draws)


def many(reference, *readings):
    """Return 10 rows for each (base, tuned) reading of the reference."""
    return [
        (f"{reference[:1]}{index}-{copy}", reference, base, tuned)
        for index, (base, tuned) in enumerate(readings)
        for copy in range(10)
    ]


BETTER = many("abcdefghij", ("abXXXXXXij", "abcdefghij"), ("abcdefgXXX", "abcdefghiX")) + many(
    "klmnopqrst", ("klmnopqrst", "klmnopqrst")
)
HARD = [
    ("plain.png", "北京 12", "北东12", "北京 12"),
    ("<b>&.png", "<script>alert(1)</script>", "<script>", "=1+1"),
    ("rtl.png", "سلام دنیا", "سلام", "سلام دنيا"),
    ("formula.csv", "=SUM(A1)", "@x", "-2"),
    ("empty.png", "", "noise", ""),
]


def test_lines_are_paired_by_picture_id_in_the_order_of_the_samples():
    samples = [Sample(picture_id=name, picture=b"", text=name) for name in ("a", "b")]
    base = [Prediction(picture_id=n, text="a", seconds=0, model="tiny") for n in ("b", "a")]
    tuned = [Prediction(picture_id=n, text=n, seconds=0, model="new") for n in ("b", "a")]
    comparison = build_comparison(CONTRACT, "test", samples, base, tuned, 200)
    assert [line.picture_id for line in comparison.lines] == ["a", "b"]
    assert (comparison.base.errors, comparison.tuned.errors) == (1, 0)
    assert (comparison.base_model, comparison.tuned_model) == ("tiny", "new")


def test_failed_and_looping_readings_are_counted_not_dropped():
    samples = [Sample(picture_id=name, picture=b"", text="abcd") for name in ("f", "l", "m")]
    base = [
        Prediction(picture_id="f", text="abcd", seconds=0, model="t", failed="out of memory"),
        Prediction(picture_id="l", text="e\n" * 50, seconds=0, model="t"),
        Prediction(picture_id="m", text="abcd", seconds=0, model="t", looped=True, cut=True),
    ]
    tuned = [Prediction(picture_id=n, text="abcd", seconds=0, model="u") for n in ("f", "l", "m")]
    comparison = build_comparison(CONTRACT, "test", samples, base, tuned, 200)
    failed, looping, cut = comparison.lines
    assert (failed.base, failed.base_failed) == ("", "out of memory")
    assert failed.base_score.deletions == 4  # a failed reading is empty text
    assert looping.base_looped
    assert cut.base_looped  # as the decoder said
    assert not failed.base_looped
    assert (comparison.base.failed, comparison.base.looped) == (1, 2)
    assert comparison.base.cer_without_loops == 1.0
    assert (comparison.tuned.failed, comparison.tuned.looped) == (0, 0)
    assert [line.base_cut for line in comparison.lines] == [False, False, True]
    assert (comparison.base.cut, comparison.tuned.cut) == (1, 0)
    values = report_values(comparison)
    assert (values["base"]["cut"], values["tuned"]["cut"]) == (1, 0)
    page = report_page.render_page(values, {}, "en")
    assert page.count("cut: too long") == 1


@pytest.mark.parametrize(
    ("base_ids", "tuned_ids", "message"),
    [
        (["a"], ["a", "b"], "The base model did not read"),
        (["a", "b"], ["a", "c"], "The tuned model did not read"),
    ],
)
def test_different_picture_ids_are_refused(base_ids, tuned_ids, message):
    samples = [Sample(picture_id=name, picture=b"", text="x") for name in ("a", "b")]
    base = [Prediction(picture_id=n, text="x", seconds=0, model="t") for n in base_ids]
    tuned = [Prediction(picture_id=n, text="x", seconds=0, model="t") for n in tuned_ids]
    with pytest.raises(MetricsError, match=message):
        build_comparison(CONTRACT, "test", samples, base, tuned)


def test_an_empty_split_is_refused():
    with pytest.raises(MetricsError, match="The test split holds no sample"):
        build_comparison(CONTRACT, "test", [], [], [])


def test_the_contract_decides_the_headline_profile():
    rows = [("a", "你好世界", "你 好 世 界", "你好世界")]
    spaced = compare(rows, OcrContract(**{**vars(CONTRACT), "profile": "no-space"}))
    assert spaced.base.cer == 0
    assert compare(rows).base.cer == 3 / 4
    by_name = {row.profile: row.base.errors for row in spaced.profiles}
    assert by_name == {"strict": 3, "raw": 3, "grapheme": 3, "no-space": 0, "lenient": 0}


def test_verdict_when_better():
    # 300 reference characters; 60 + 30 errors before, 10 after.
    assert re.fullmatch(
        r"The tuned model makes 89 % fewer errors \(from 30\.0 % to 3\.3 % CER; 95 % interval of "
        r"the difference -3\d\.\d to -1\d\.\d points; 20 lines better, 0 worse, 10 tied\)\.",
        verdict(compare(BETTER)),
    )


def test_verdict_when_worse():
    swapped = [(name, reference, tuned, base) for name, reference, base, tuned in BETTER]
    assert re.fullmatch(
        r"The tuned model makes 800 % more errors \(from 3\.3 % to 30\.0 % CER; .*"
        r"\+1\d\.\d to \+3\d\.\d points; 0 lines better, 20 worse, 10 tied\)\. "
        r"The tuned model reads worse: keep using the base model\.",
        verdict(compare(swapped)),
    )


def test_verdict_when_undecided():
    rows = many("abcdefghij", ("abXdefghij", "abcdefghij"), ("abcdefghij", "Xbcdefghij"))
    rows += many("k", ("k", "k"))
    sentence = verdict(compare(rows))
    assert sentence.startswith("Whether the tuned model reads better is undecided (from 4.8 % to")
    assert "which includes zero; 10 lines better, 10 worse, 10 tied)." in sentence
    assert sentence.endswith(" On these lines both make equally many errors.")


def test_an_undecided_verdict_says_what_was_seen_and_how_many_lines_would_tell():
    rows = many("abcdefghij", ("abXdefghij", "abcdefghij"), ("abcdefghij", "Xbcdefghij"))
    rows += [("once", "abcdefghij", "abcdeXghij", "abcdefghij")]
    comparison = compare([*rows, *many("k", ("k", "k"))])
    sentence = verdict(comparison)
    told = re.search(
        r"makes 9\.1 % fewer errors, which may be chance; about ([\d,]+) lines", sentence
    )
    # 21 changes of one error in 31 lines: the deviation is some sqrt(21/31) errors a line, the mean
    # 1/31; 1.96 standard errors of that size need (1.96 * 0.82 * 31)^2 = 2,500 lines.
    assert 1_800 <= int(told[1].replace(",", "")) <= 3_300
    assert "大约需要" in verdict(comparison, "zh")


def test_a_worse_verdict_is_as_plain_in_chinese():
    swapped = [(name, reference, tuned, base) for name, reference, base, tuned in BETTER]
    assert verdict(compare(swapped), "zh").endswith("微调后的模型读得更差：请继续使用基础模型。")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (many("ab", ("ab", "ab")), "Both models read 10 lines without an error."),
        (many("ab", ("aX", "Xb")), "equally many errors on each of 10 lines (50.0 % CER)."),
        (many("", ("x", "")), "no CER to compare"),
        (many("ab", ("ab", "aX")), "makes errors where the base model makes none (from 0.0 %"),
        (many("a" * 40, ("a" * 39 + "b", "b" * 40)), "40 times as many errors (from 2.5 % to 100"),
        (BETTER[:1], "1 line better, 0 worse, 0 tied; with only 1 line the interval is no more"),
        (BETTER[:29], "with only 29 lines the interval is no more than a hint"),
        # 1 of 400 errors less is 0.2 %, not "0 % fewer"; 1 of 400 left is not "100 % fewer"
        (many("a" * 40, ("b" * 40, "b" * 40))[:9] + [("z", "a" * 40, "b" * 40, "a" + "b" * 39)],
         "undecided"),
        (many("a" * 40, ("b" * 40, "a" * 40))[:9] + [("z", "a" * 40, "b" * 40, "b" + "a" * 39)],
         "99.8 % fewer errors"),
    ],
)  # fmt: skip
def test_verdict_in_the_odd_cases(rows, words):
    assert words in verdict(compare(rows))


def test_verdict_in_chinese():
    sentence = verdict(compare(BETTER), "zh")
    assert sentence.startswith("微调后的模型错误减少 89 %（CER 从 30.0 % 变为 3.3 %")
    assert sentence.endswith("20 行变好，0 行变差，10 行持平）。")


def test_the_languages_have_the_same_words():
    for words in (WORDS, SENTENCES):
        assert set(words["en"]) == set(words["zh"])
        for name, text in words["en"].items():
            fields = re.findall(r"\{\w+\}", text)
            assert sorted(fields) == sorted(re.findall(r"\{\w+\}", words["zh"][name])), name


@pytest.mark.parametrize(
    ("fraction", "shown"),
    [(0.312, "31.2 %"), (0.0035, "0.35 %"), (0.0, "0.0 %"), (1.49, "149.0 %"), (None, "–")],
)
def test_percent(fraction, shown):
    assert percent(fraction) == shown


@pytest.mark.parametrize(
    ("fraction", "shown"),
    [(-0.221, "-22.1"), (0.0004, "+0.04"), (-0.0, "+0.00"), (0.03, "+3.0"), (None, "–")],
)
def test_points(fraction, shown):
    assert points(fraction) == shown


def test_report_json_holds_what_the_page_and_the_commands_promise(tmp_path):
    paths = write_report(compare(HARD), {}, tmp_path / "new" / "folder")
    values = read_report(paths["json"])
    assert paths["json"].name == "report.json"
    assert OcrContract.from_dict(values["contract"]) == CONTRACT
    assert values["contract_digest"] == CONTRACT.digest()
    assert (values["split"], values["lines"]) == ("test", 5)
    for model in ("base", "tuned"):
        assert set(values[model]) >= {
            *("errors", "reference_characters", "cer", "substitutions", "deletions"),
            *("insertions", "exact_lines", "median_line_cer"),
        }
        assert values[model]["cer"] == (
            values[model]["errors"] / values[model]["reference_characters"]
        )
    assert set(values["difference"]) == {
        *("cer", "low", "high", "better", "worse", "tied", "few_lines")
    }
    assert set(values["profiles"]) == {"strict", "raw", "grapheme", "no-space", "lenient"}
    worst = values["worst"]
    assert len(worst) == 5
    assert [line["picture_id"] for line in worst[-2:]] == ["empty.png", "plain.png"]
    rates = [line["tuned_cer"] for line in worst if line["tuned_cer"] is not None]
    assert rates == sorted(rates, reverse=True)
    assert {line["picture_id"] for line in worst if line["right_to_left"]} == {"rtl.png"}
    assert {"reference": "京", "hypothesis": "东", "count": 1} in [
        {name: row[name] for name in ("reference", "hypothesis", "count")}
        for row in values["confusions"]["base"]
    ]
    han = [row for row in values["classes"]["base"] if row["name"] == "han"]
    assert han == [{"name": "han", "reference_characters": 2, "errors": 1, "cer": 0.5}]


def test_report_json_never_holds_nan_or_infinity(tmp_path):
    paths = write_report(compare([("a", "", "noise", "")]), {}, tmp_path)
    text = paths["json"].read_text("utf-8")
    json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} in report.json"))
    assert json.loads(text)["base"]["cer"] is None


def test_half_a_surrogate_pair_does_not_stop_the_report(tmp_path):
    paths = write_report(compare([("a", "ab", "a\ud83d", "ab")]), {}, tmp_path)
    assert read_report(paths["json"])["worst"][0]["base"] == "a\ud83d"


@pytest.mark.parametrize(
    "content", ["", "[]", "3", '{"lines": 3}', "\x00\x01", '{"contract": {}, "split": "test"}']
)
def test_a_foreign_file_is_no_report(tmp_path, content):
    path = tmp_path / "report.json"
    path.write_text(content, "utf-8")
    with pytest.raises(MetricsError, match="report") as caught:
        read_report(path)
    assert "ocrtune compare" in caught.value.fix


def test_a_missing_report_is_said_to_be_missing(tmp_path):
    with pytest.raises(MetricsError, match="No such file"):
        read_report(tmp_path / "report.json")


def test_csv_opens_in_a_spreadsheet_without_running_anything(tmp_path):
    rows = [*HARD, ("full.png", "＝1", "\t=1", " +1")]
    path = write_report(compare(rows), {}, tmp_path)["csv"]
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    with path.open(encoding="utf-8-sig", newline="") as stream:
        table = {row["picture_id"]: row for row in csv.DictReader(stream)}
    assert len(table) == 6
    assert table["plain.png"]["reference"] == "北京 12"
    assert table["plain.png"]["base_errors"] == "2"
    assert table["formula.csv"]["reference"] == "'=SUM(A1)"
    assert table["formula.csv"]["base"] == "'@x"
    assert table["formula.csv"]["tuned"] == "'-2"
    assert [table["full.png"][name] for name in ("reference", "base", "tuned")] == [
        "'＝1",
        "'\t=1",
        "' +1",
    ]


class Page(HTMLParser):
    """The tags of a page with their attributes, and its texts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "br", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def page_of(rows, tmp_path, pictures=MappingProxyType({}), language="en") -> Page:
    paths = write_report(compare(rows), pictures, tmp_path, language)
    return Page(paths["html"].read_text("utf-8"))


def test_html_escapes_what_models_and_users_wrote(tmp_path):
    page = page_of(HARD, tmp_path)
    assert not page.open  # every tag is closed, so nothing broke out
    assert len(page.all("script")) == 1  # our own
    assert not page.all("b")
    assert "<script>alert(1)</script>" in page.texts
    assert "<b>&.png" in page.texts


def test_html_asks_the_network_for_nothing(tmp_path):
    page = page_of(HARD, tmp_path, {"plain.png": picture()})
    assert not page.all("link")
    assert not page.all("a")
    assert all(image["src"].startswith("data:image/") for image in page.all("img"))
    policy = [meta["content"] for meta in page.all("meta") if "http-equiv" in meta]
    hashed = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
    assert policy == [
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{hashed}'"
    ]


def test_html_sets_right_to_left_lines_right_to_left(tmp_path):
    directions = [p["dir"] for p in page_of(HARD, tmp_path).all("p") if "dir" in p]
    assert directions.count("rtl") == 3  # reference, base and tuned of one line
    assert directions.count("ltr") == 12


def test_html_shows_the_worst_line_first_with_marks(tmp_path):
    rows = [("good", "abc", "abd", "abc"), ("bad", "abc def", "abc def", "axcdefz")]
    html = write_report(compare(rows), {}, tmp_path)["html"].read_text("utf-8")
    assert html.index(">bad</bdi>") < html.index(">good</bdi>")
    assert "a<mark>x</mark>c<del>␣</del>def<ins>z</ins>" in html
    assert "ab<mark>d</mark>" in html


def test_html_names_characters_nobody_sees(tmp_path):
    html = write_report(compare([("a", "a b", "ab", "a\u200bb")]), {}, tmp_path)["html"]
    text = html.read_text("utf-8")
    assert "<mark><small>U+200B</small></mark>" in text  # in the line
    assert "<bdi>U+0020</bdi> → <bdi>U+200B</bdi>" in text  # in the confusion table
    assert "<bdi>U+0020</bdi> → <bdi>(nothing)</bdi>" in text


def test_html_says_verdict_contract_and_flags_in_both_languages(tmp_path):
    rows = [("a", "合计", "合计" + "0" * 300, "合计")]
    english, chinese = (page_of(rows, tmp_path, language=language) for language in ("en", "zh"))
    assert verdict(compare(rows)) in english.texts
    assert verdict(compare(rows), "zh") in chinese.texts
    assert "loop" in english.texts
    assert "重复" in chinese.texts
    assert CONTRACT.digest() in english.texts
    assert chinese.all("html") == [{"lang": "zh"}]


def test_html_greys_the_interval_of_few_lines(tmp_path):
    assert any("Greyed" in text for text in page_of(HARD, tmp_path / "few").texts)
    assert not any("Greyed" in text for text in page_of(BETTER, tmp_path / "many").texts)


def test_html_of_a_large_split_shows_the_worst_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(report_page, "SHOWN_LINES", 12)
    asked = []

    class Pictures(dict):
        def get(self, name, default=None):
            asked.append(name)
            return default

    page = page_of(BETTER, tmp_path, Pictures())
    assert len(page.all("article")) == 12
    assert len(asked) == 12  # a page does not decode pictures that it does not show
    assert any("The 12 worst of 30 lines" in text for text in page.texts)
    assert len(report_values(compare(BETTER))["worst"]) == 30


@pytest.mark.parametrize(
    ("encoded", "kind"),
    [
        (picture("PNG"), "png"),
        (picture("JPEG"), "jpeg"),
        (picture("WEBP"), "webp"),
        (picture("TIFF"), "png"),  # browsers do not show TIFF
        (picture("BMP"), "png"),
        (picture("JPEG", mode="CMYK"), "png"),
        (picture("TIFF", mode="1"), "png"),
    ],
)
def test_pictures_become_what_browsers_show(encoded, kind):
    head, _, body = data_uri(encoded).partition(",")
    assert head == f"data:image/{kind};base64"
    with Image.open(BytesIO(base64.b64decode(body))) as image:
        assert image.size == (40, 12)


def test_a_large_picture_is_made_smaller():
    noise = BytesIO()
    Image.effect_noise((2400, 1200), 90).save(noise, "JPEG", quality=95)
    head, _, body = data_uri(noise.getvalue()).partition(",")
    with Image.open(BytesIO(base64.b64decode(body))) as image:
        assert (image.format, image.size) == ("JPEG", (1600, 800))
    assert len(body) < len(noise.getvalue())


def test_sixteen_bit_scans_keep_their_greys():
    stream = BytesIO()
    Image.new("I;16", (4, 4), 40_000).save(stream, "TIFF")
    body = data_uri(stream.getvalue()).partition(",")[2]
    with Image.open(BytesIO(base64.b64decode(body))) as image:
        assert image.getpixel((0, 0)) == 40_000 // 256


def test_transparent_parts_become_paper_not_ink():
    stream = BytesIO()
    Image.new("RGBA", (4, 4), (0, 0, 0, 0)).save(stream, "TIFF")
    body = data_uri(stream.getvalue()).partition(",")[2]
    with Image.open(BytesIO(base64.b64decode(body))) as image:
        assert image.getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize("encoded", [b"", b"no picture", picture()[:20]])
def test_what_is_no_picture_is_left_out(encoded, tmp_path):
    assert data_uri(encoded) == ""
    page = page_of(HARD[:1], tmp_path, {"plain.png": encoded})
    assert "(the picture cannot be shown)" in page.texts
    assert not page.all("img")


@pytest.mark.parametrize(
    "rows",
    [
        [("Haus", "Hans", "Haus")],
        [("abc", "ab" * 300, "xyz " * 200)] * 4,
        [("", "", "")] * 3,
        [("", "abc", "")] * 3,
        [("a\ud800b", "a\udfff", "a\ud800b")] * 3,
        [("a\0b", "\0", "a\0b\0\0"), ("\0", "", ""), ("a\0", "b\0c", "\ue000")],
        [("\U00040000\U0010ffff", "\U0010ffff", "\U00040000")],
        [("e" + "\u0301" * 5_000, "e" + "\u0301" * 4_000, "e")] * 3,
        [("1" * 2_000 + " " + "1," * 900, "1" * 1_999, "1 " * 900)] * 2,
        [(" \n\t" * 1_000, "\u3000" * 100, " ")] * 2,
        [("ab " * 9_000, "ab " * 9_000 + "c", "ab " * 9_000)],
    ],
    ids=lambda rows: ascii(rows[0][0][:12]),
)
def test_no_text_is_too_odd_for_a_report(rows, tmp_path):
    numbered = [(f"{number}.png", *row) for number, row in enumerate(rows)]
    comparison = compare(numbered)
    paths = write_report(comparison, {}, tmp_path)
    assert read_report(paths["json"])["verdict"]["en"] == verdict(comparison)
    assert len(paths["csv"].read_text("utf-8-sig").splitlines()) > len(rows)
