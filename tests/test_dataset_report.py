"""The report of a build: figures, warnings and rejects, complete but never endless."""

import csv
import io
import json

from PIL import Image, ImageDraw, ImageFont
from test_dataset import build, make_zip, png

from ocrtune.config import BuildConfig
from ocrtune.dataset import build_dataset
from ocrtune.dataset_report import STORED_REJECTS, STORED_WARNINGS, keep_warnings, statistics_text
from ocrtune.text_figures import histogram, same_texts

FONT = ImageFont.load_default(24)


def line_picture(text: str, kind: str = "PNG") -> bytes:
    image = Image.new("L", (420, 40), 240)
    ImageDraw.Draw(image).text((8, 4), text, fill=20, font=FONT)
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def test_the_histogram_counts_every_value_once():
    found = histogram([3, 5, 5, 9, 27, 1_000] * 40)
    assert found["edges"][-1] == 1_000
    assert sum(found["counts"]) == 240
    assert histogram([7]) == {"edges": [7, 8], "counts": [1]}
    long_tail = histogram([*range(200), 90_000])
    assert len(long_tail["counts"]) <= 13  # one picture does not push all others into one bin
    assert long_tail["counts"][-1] == 1


def test_texts_on_several_pictures_are_counted():
    assert same_texts(["a", "b", "a", "c", "b", "a"]) == {
        "texts": 2,
        "pictures": 5,
        "most": [{"text": "a", "count": 3}, {"text": "b", "count": 2}],
    }


def test_a_frequent_kind_of_warning_leaves_room_for_a_rare_one():
    many = [{"key": "often", "picture": str(number)} for number in range(9_000)]
    rare = [{"key": "rare", "picture": "x"}]
    kept = keep_warnings([*many, *rare], {"often": 9_000, "rare": 1})
    assert len(kept) == STORED_WARNINGS
    assert kept[-1] == rare[0]


def test_the_report_names_what_is_suspicious_unseen_and_nearly_the_same(tmp_path):
    files, lines = {}, []
    words = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu"
    words = words.split()
    for number in range(60):
        text = f"{words[number % 12]} {words[number // 5]} {words[(7 * number) % 12]} {number}"
        files[f"{number:02}.png"] = line_picture(text)
        files[f"copy {number:02}.jpg"] = line_picture(text, "JPEG")
        lines += [f"{number:02}.png {text}", f"copy {number:02}.jpg {text}"]
    lines[0] = "00.png <image> раypal"
    report = build(tmp_path, files | {"content.md": "\n".join(lines)})
    assert report.warning_counts["text_special"] == report.warning_counts["text_mixed_scripts"] == 1
    first = next(one for one in report.warnings if one["key"] == "text_special")
    assert (first["picture"], first["values"]) == ("00.png", {"found": "<image>"})
    assert first["split"] in ("train", "validation", "test")
    pairs = {tuple(sorted(pair["pictures"])) for pair in report.near_duplicates}
    assert len(pairs) == report.near_duplicate_count > 5
    # `iota eta iota 32` and `iota mu iota 56` look alike, but are none
    assert all(one[:2] == other[5:7] for one, other in pairs)
    assert all(len(set(pair["splits"])) == 2 for pair in report.near_duplicates)
    assert report.inventory["a"] == max(report.inventory.values()) or " " in report.inventory
    assert set(report.histograms) == {"characters", "width", "height"}
    assert any(one["key"] == "advice_near_duplicates" for one in report.advice)
    text = "\n".join(statistics_text(report))
    assert "Near-duplicates in different splits:" in text
    assert "1 special words of models" in text


def test_many_rejects_stand_in_the_table_and_some_in_the_report(tmp_path):
    lines = [f"{number}.png text" for number in range(4)]
    lines += [f"lost{number}.png =1+1" for number in range(1_500)]
    files = {f"{number}.png": png(number) for number in range(4)}
    report = build(tmp_path, files | {"content.md": "\n".join([*lines, "=HYPERLINK(1)"])})
    assert len(report.rejects) == STORED_REJECTS
    assert report.reject_counts == {"no_picture": 1_500, "no_path": 1}
    saved = (tmp_path / "out" / "d_rejects.csv").read_bytes()
    assert saved.startswith(b"\xef\xbb\xbf")  # Excel takes it for another encoding without
    rows = list(csv.DictReader(io.StringIO(saved.decode("utf-8-sig"))))
    assert len(rows) == 1_501
    assert rows[0] == {
        "file": "content.md",
        "line": "5",
        "original": "lost0.png =1+1",
        "reason": "There is no picture `lost0.png`.",
        "reason_zh": "没有图片 `lost0.png`。",
        "nearest": "",
    }
    assert rows[-1]["original"] == "'=HYPERLINK(1)"


def test_a_build_without_rejects_leaves_no_old_table(tmp_path):
    files = {f"{number}.png": png(number) for number in range(4)}
    lines = "".join(f"{number}.png text\n" for number in range(4))
    build(tmp_path, files | {"content.md": lines + "lost.png x"})
    table = tmp_path / "out" / "d_rejects.csv"
    assert "lost.png" in table.read_text("utf-8-sig")
    build(tmp_path, files | {"content.md": lines})
    assert table.read_text("utf-8-sig").splitlines() == [
        "file,line,original,reason,reason_zh,nearest"
    ]


def test_the_same_source_gives_the_same_report_byte_for_byte(tmp_path):
    files = {f"{number}.png": line_picture(f"a <br> {number}") for number in range(30)}
    files["content.md"] = "\n".join(f"{number}.png {number}\u200b <br>" for number in range(30))
    source = make_zip(tmp_path / "a.zip", files)
    saved = []
    for name in ("one", "two"):
        build_dataset(BuildConfig(source=str(source), output=str(tmp_path / name / "d")))
        saved.append((tmp_path / name / "d_report.json").read_bytes())
    assert saved[0] == saved[1]
    assert json.loads(saved[0])["warning_counts"] == {"text_invisible": 30, "text_markup": 30}


def test_a_report_of_an_older_version_is_still_told(tmp_path):
    files = {f"{number}.png": png(number) for number in range(4)}
    files["content.md"] = "".join(f"{number}.png text\n" for number in range(4)) + "lost.png x"
    build(tmp_path, files)
    values = json.loads((tmp_path / "out" / "d_report.json").read_text("utf-8"))
    old = ("source", "content", "encoding", "seed", "samples", "splits", "shortest", "longest")
    old += ("mean", "example", "conversions", "several_frames", "duplicates", "unnamed", "rejects")
    lines = statistics_text({name: values[name] for name in old})
    assert "Lines rejected: 1" in lines
    assert not any("Advice" in line for line in lines)
