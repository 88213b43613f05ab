"""Tables of pictures and texts."""

import json

import pytest
from shape_samples import png, read, reasons, texts

from ocrtune.errors import ArchiveError, DatasetError, QuestionError
from ocrtune.shapes.table_rows import find_separator, read_rows

PICTURES = {f"img/{n}.png": png(n) for n in range(1, 5)}
ROWS = [("img/1.png", "one"), ("img/2.png", "zwei, drei"), ("img/3.png", 'say "four"')]


def as_csv(separator, header="image_path,text"):
    """Return the rows as a CSV whose texts are quoted."""
    lines = [header.replace(",", separator)] if header else []
    for path, text in ROWS:
        quoted = text.replace('"', '""')
        lines.append(f'{path}{separator}"{quoted}"')
    return "\r\n".join(lines)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("header", ["image_path,text", "", "filename,label", "图片,文字", "a,b"])
def test_csv_of_every_kind(tmp_path, separator, header):
    truth = read(tmp_path, PICTURES | {"labels.csv": as_csv(separator, header)})
    assert (truth.shape, texts(truth), truth.rejects) == ("table", dict(ROWS), [])
    assert [entry.line_number for entry in truth.entries] == [2, 3, 4] if header else [1, 2, 3]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gbk", "utf-16"])
def test_csv_in_other_encodings(tmp_path, encoding):
    lines = ["文件名,文本", *(f"img/{n}.png,第{n}行的文字内容" for n in (1, 2, 3))]
    truth = read(tmp_path, PICTURES | {"标注.csv": "\n".join(lines).encode(encoding)})
    assert texts(truth)["img/2.png"] == "第2行的文字内容"


def test_text_with_bare_quotes_is_not_eaten(tmp_path):
    lines = 'path\ttext\nimg/1.png\t5" pipe\nimg/2.png\tsays "no"\n'
    truth = read(tmp_path, PICTURES | {"gt.tsv": lines})
    assert texts(truth) == {"img/1.png": '5" pipe', "img/2.png": 'says "no"'}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("gt.json", [{"image": path, "text": text} for path, text in ROWS]),
        ("gt.json", {"data": [{"file_name": path, "label": text} for path, text in ROWS]}),
        ("gt.json", dict(ROWS)),
        ("gt.json", {"labels": dict(ROWS)}),
        ("gt.jsonl", [{"image": {"path": path}, "ground_truth": text} for path, text in ROWS]),
    ],
)
def test_json(tmp_path, name, value):
    data = json.dumps(value, ensure_ascii=False)
    if name.endswith("l"):
        data = "\n".join(json.dumps(row) for row in value)
    truth = read(tmp_path, PICTURES | {name: data})
    assert (truth.shape, texts(truth)) == ("table", dict(ROWS))


def test_imagefolder_metadata_counts_from_its_folder_and_wins(tmp_path):
    files = {f"train/{n}.png": png(n) for n in (1, 2)} | {f"test/{n}.png": png(n) for n in (1, 2)}
    for split in ("train", "test"):
        files[f"{split}/metadata.csv"] = f"file_name,text\n1.png,{split} a\n2.png,{split} b\n"
    truth = read(tmp_path, files | {"train/1.txt": "a side file", "notes.txt": "nothing"})
    assert texts(truth) == {
        f"{split}/{n}.png": f"{split} {word}"
        for split in ("test", "train")
        for n, word in ((1, "a"), (2, "b"))
    }
    assert {entry.split for entry in truth.entries} == {"train", "test"}


def test_columns_for_groups_and_splits_are_taken_along(tmp_path):
    lines = "split,writer,file,text\nTrain,ann,1.png,a\nval,bob,2.png,b\ntest,ann,3.png,c"
    truth = read(tmp_path, PICTURES | {"t.csv": lines})
    assert [entry.split for entry in truth.entries] == ["train", "validation", "test"]
    assert [entry.group for entry in truth.entries] == ["ann", "bob", "ann"]


def test_names_without_suffix_are_found(tmp_path):
    truth = read(tmp_path, PICTURES | {"t.csv": "id,text\n1,one\n2,two\n3,three\n4,four"})
    assert texts(truth)["img/4.png"] == "four"


def test_an_unclear_text_column_is_asked_for(tmp_path):
    files = PICTURES | {"t.csv": "image,original,modern\n1.png,vn,un\n2.png,vnd,und\n"}
    with pytest.raises(QuestionError, match="holds the text is unclear") as asked:
        read(tmp_path, files)
    assert (asked.value.setting, asked.value.choices) == (
        "text_column",
        ("original", "modern"),
    )
    truth = read(tmp_path, files, text_column="Original")
    assert texts(truth) == {"img/1.png": "vn", "img/2.png": "vnd"}
    with pytest.raises(DatasetError, match="has no column `orginal`. Did you mean `original`"):
        read(tmp_path, files, text_column="orginal")
    with pytest.raises(QuestionError) as asked:
        read(tmp_path, PICTURES | {"t.csv": "a,b\nx,y\n"})
    assert asked.value.setting == "image_column"


def test_rows_that_cannot_be_used_say_why(tmp_path):
    rows = ["image,text", "1.png,one", "1.png,one", "1.png,other", "9.png,lost", "2.png,", ",x"]
    rows += ["3.png,too,many"]
    truth = read(tmp_path, PICTURES | {"t.csv": "\n".join(rows)})
    assert texts(truth) == {"img/1.png": "one"}
    by_line = {one.line_number: one.reason.key for one in truth.rejects}
    assert by_line == {
        3: "repeated_row",
        4: "contradicted_row",
        5: "no_picture",
        6: "no_text_cell",
        7: "no_cell",
        8: "too_many_cells",
    }
    truth = read(tmp_path, PICTURES | {"t.jsonl": '{"image": "1.png", "text": "a"}\n{oh\n[1]\n'})
    assert (texts(truth), reasons(truth)) == ({"img/1.png": "a"}, ["not_json", "not_object"])


def test_a_row_over_several_lines_keeps_its_number(tmp_path):
    text = 'image,text\n1.png,"two\nlines"\n9.png,lost\n'
    truth = read(tmp_path, PICTURES | {"t.csv": text})
    assert texts(truth) == {"img/1.png": "two\nlines"}
    assert [one.line_number for one in truth.rejects] == [4]


@pytest.mark.parametrize("name", ["a.json", "a.csv"])
def test_damaged_tables_are_refused_with_a_sentence(tmp_path, name):
    long = "".join(map(str, range(200_000)))
    data = {"a.json": '[{"image": "1.png"', "a.csv": f'image,text\n1.png,"{long}'}[name]
    with pytest.raises(DatasetError, match="is no sound"):
        read(tmp_path, PICTURES | {name: data}, shape="table")


def test_deep_json_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="no sound JSON"):
        read(tmp_path, PICTURES | {"a.json": "[" * 200_000}, shape="table")


def test_the_separator_is_the_steady_one():
    assert find_separator("a;b\n1,5;2\n1,5,7;3") == ";"
    assert read_rows("t.csv", "") == ([], [], [])


def ask(picture):
    """Return the turn of a user who shows a picture."""
    return {"role": "user", "content": [{"type": "image", "image": picture}, {"text": "Read it."}]}


@pytest.mark.parametrize(
    "row",
    [
        lambda path, text: {
            "messages": [
                {"role": "system", "content": "You read."},
                ask(path),
                {"role": "assistant", "content": [{"type": "text", "text": text}]},
            ]
        },
        lambda path, text: {
            "id": path,
            "image": path,
            "conversations": [
                {"from": "human", "value": "<image>\nWhat stands here?"},
                {"from": "gpt", "value": text},
            ],
        },
        lambda path, text: {
            "messages": [
                {"role": "<|User|>", "content": "<image>\nFree OCR.", "images": [path]},
                {"role": "<|Assistant|>", "content": text},
            ]
        },
        lambda path, text: {
            "images": [path],
            "messages": [
                {"role": "user", "content": "<image>Read."},
                {"role": "assistant", "content": text},
            ],
        },
    ],
)
def test_conversations_for_fine_tuning(tmp_path, row):
    lines = "\n".join(json.dumps(row(path, text)) for path, text in ROWS)
    truth = read(tmp_path, PICTURES | {"train.jsonl": lines})
    assert (texts(truth), truth.rejects) == (dict(ROWS), [])


def test_a_conversation_about_several_pictures_is_no_ground_truth_of_one(tmp_path):
    two = ask("img/1.png") | {"images": ["img/4.png"]}
    rows = [{"messages": [ask(path), {"role": "assistant", "content": t}]} for path, t in ROWS]
    rows.append({"messages": [two, {"role": "assistant", "content": "both"}]})
    truth = read(tmp_path, PICTURES | {"a.jsonl": "\n".join(map(json.dumps, rows))})
    assert texts(truth) == dict(ROWS)
    assert [one.line_number for one in truth.rejects] == [4]


def test_objects_without_texts_ask_for_columns_that_exist(tmp_path):
    rows = [json.dumps({"nested": {"file": f"img/{n}.png"}}) for n in range(1, 5)]
    with pytest.raises(DatasetError, match=r"no column with plain texts.*image_path.*text"):
        read(tmp_path, PICTURES | {"a.jsonl": "\n".join(rows)}, shape="table")


@pytest.mark.parametrize("name", ["标注.xlsx", "texts/lines.docx"])
def test_office_files_are_named_with_what_to_save_instead(tmp_path, name):
    with pytest.raises(ArchiveError, match=f"{name}.*Save a table as CSV"):
        read(tmp_path, PICTURES | {name: "PK"})
