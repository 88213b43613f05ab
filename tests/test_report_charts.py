"""The charts of a report: what is drawn, in the page and as pictures."""

from io import BytesIO

import pytest
from PIL import Image
from test_report_schema import full_report

from ocrtune import report_fonts
from ocrtune.report_charts import bucket_name, drawings, further, rates
from ocrtune.report_charts_png import FILES, chart_notes, write_charts
from ocrtune.report_charts_svg import svg
from ocrtune.report_drawings import Bar, Drawing, Stroke, Words, readable, shortened
from ocrtune.report_fonts import BUILT_IN, font_for, has_glyphs
from ocrtune.report_page import render_page
from ocrtune.report_png import COLOURS, SCALE, draw
from ocrtune.report_words import WORDS

PERSIAN, HAN = "مدل", "第二版"


def with_lines(few):
    values = full_report()
    values["difference"]["few_lines"] = few
    return values


def named(values, name):
    """Return the report with its third model under another name."""
    models = [
        {**one, "name": name if one["name"] == "other" else one["name"]}
        for one in values["ranking"]["models"]
    ]
    return {**values, "ranking": {**values["ranking"], "models": models}}


@pytest.fixture
def bare(monkeypatch):
    """Take all fonts but Pillow's own off this machine."""
    monkeypatch.setattr(report_fonts, "installed", dict)


@pytest.fixture
def han(monkeypatch):
    """Go without the test if this machine has no font with Han characters."""
    if font_for([HAN]) is None:
        pytest.skip("no font with Han characters here")


def test_every_model_has_a_bar_and_an_interval_that_holds_its_end():
    drawn = rates(with_lines(few=False), WORDS["en"])
    bars = [shape for shape in drawn.shapes if isinstance(shape, Bar)]
    spans = [shape for shape in drawn.shapes if isinstance(shape, Stroke)][::3]
    assert [bar.kind for bar in bars] == ["base", "tuned", "more"]
    for bar, span in zip(bars, spans, strict=True):
        (low, _), (high, _) = span.points
        assert low <= bar.x + bar.width <= high <= drawn.width
        assert span.kind == "whisker"


def test_few_lines_grey_the_intervals_and_say_why():
    drawn = rates(with_lines(few=True), WORDS["en"])
    assert {one.kind for one in drawn.shapes if isinstance(one, Stroke)} == {"faint"}
    assert "fewer than 30 lines" in drawn.note
    assert not rates(with_lines(few=False), WORDS["en"]).note


def test_a_tuned_model_is_drawn_once_though_a_ranking_names_its_adapter_alone():
    values = full_report()  # its tuned model is `m + tuned`
    values["ranking"]["models"][0]["name"] = "tuned"
    assert [one["name"] for one in further(values)] == ["other"]


def test_bars_by_length_name_their_models():
    values = full_report()
    drawn = next(one for one in drawings(values, WORDS["en"]) if one.name == "chart_lengths")
    texts = [one.text for one in drawn.shapes if isinstance(one, Words)]
    assert texts.count("base") == texts.count("tuned") == len(texts) // 5
    one = {"shortest": 6, "longest": 10, "lines": 1}
    assert bucket_name(one, WORDS["en"]) == "6–10 characters, 1 line"
    many = {"shortest": 81, "longest": None, "lines": 1200}
    assert bucket_name(many, WORDS["zh"]) == "81+ 个字符，1,200 行"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("run/adapter", "…n/adapter"),
        ("tesseract", "tesseract"),
        ("微调模型二号版", "…型二号版"),  # a Han character takes two columns
        ("a\nb", "a b"),
        ("a\u200fb", "aU+200Fb"),
    ],
)
def test_a_name_is_shown_on_one_line_by_its_end(name, shown):
    assert shortened(readable(name), 10) == shown


def test_the_kinds_of_a_page_have_a_colour_in_its_pictures():
    kinds = {
        shape.kind
        for few in (True, False)
        for one in drawings(with_lines(few), WORDS["en"])
        for shape in one.shapes
        if not isinstance(shape, Words)
    }
    assert kinds <= set(COLOURS)


def test_markup_in_a_name_stays_a_name():
    drawn = rates(named(full_report(), "<b>&"), WORDS["en"])
    assert "&lt;b&gt;&amp;" in svg(drawn)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_charts_are_written_as_pictures_always_the_same(tmp_path, language):
    paths = write_charts(full_report(), tmp_path, language)
    assert [path.name for path in paths] == list(FILES)
    page = render_page(full_report(), {}, language)
    assert f"report.json, lines.csv, {', '.join(FILES)}" in page  # it names what lies beside it
    before = [path.read_bytes() for path in paths]
    assert [path.read_bytes() for path in write_charts(full_report(), tmp_path, language)] == before
    with Image.open(BytesIO(before[0])) as image:
        assert image.width >= 2 * rates(full_report(), WORDS["en"]).width  # sharp when printed
        colours = {colour for _, colour in image.convert("RGB").getcolors(1 << 24)}
    ours = [tuple(bytes.fromhex(COLOURS[kind][1:])) for kind in ("base", "tuned", "more")]
    assert colours >= set(ours)


def test_a_chart_of_an_earlier_comparison_does_not_stay(tmp_path):
    write_charts(full_report(), tmp_path)
    values = full_report()
    values["lengths"] = []
    assert [path.name for path in write_charts(values, tmp_path)] == list(FILES[:2])
    assert not (tmp_path / FILES[2]).exists()


def test_without_a_han_font_the_pictures_are_english_and_a_note_says_so(bare, tmp_path):
    values = full_report()
    before = [path.read_bytes() for path in write_charts(values, tmp_path, "en")]
    assert [path.read_bytes() for path in write_charts(values, tmp_path, "zh")] == before
    (note,) = chart_notes(values, "zh")
    assert "in English" in note
    assert "fonts-noto-cjk" in note
    assert chart_notes(values, "en") == []


def test_a_name_without_a_font_becomes_a_number_and_never_boxes(bare, tmp_path):
    values = named(full_report(), PERSIAN)
    place = 1 + [one["name"] for one in values["ranking"]["models"]].index(PERSIAN)
    assert chart_notes(values) == [
        f"`{PERSIAN}` is called `model {place}` in chart_cer.png: no font with its letters was "
        "found."
    ]
    numbered = named(full_report(), f"model {place}")
    one, other = (write_charts(each, tmp_path)[0].read_bytes() for each in (values, numbered))
    assert one == other


def test_chinese_words_are_drawn_in_chinese_where_a_font_has_them(han, tmp_path):
    english, chinese = (
        [path.read_bytes() for path in write_charts(full_report(), tmp_path, language)]
        for language in ("en", "zh")
    )
    assert english != chinese
    assert chart_notes(named(full_report(), HAN), "zh") == []


def test_a_font_is_known_by_the_glyphs_it_has():
    assert has_glyphs(BUILT_IN, "CER 12.5 %")
    assert not has_glyphs(BUILT_IN, HAN)
    assert not has_glyphs(BUILT_IN, PERSIAN)
    assert not has_glyphs("/no/such/font.ttf", "a")


def test_words_that_nothing_can_draw_are_left_out(bare):
    shape = Words(x=0, y=20, text=HAN, is_name=True)
    empty, with_words = (
        draw(Drawing(name="x", title="t", width=90, height=30, shapes=shapes))
        for shapes in ((), (shape,))
    )
    assert with_words == empty


def test_a_long_title_goes_on_in_the_next_line():
    short, long = (
        Image.open(BytesIO(draw(Drawing(name="x", title=t, width=90, height=30, shapes=()))))
        for t in ("CER", "CER by the number of samples")
    )
    assert short.width == long.width
    assert long.height >= short.height + 20 * SCALE
