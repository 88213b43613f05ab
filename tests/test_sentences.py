"""Every sentence of the programs that a visitor may read has its Chinese, and no other one has."""

import re
import time

import pytest
from sentence_sites import PACKAGE, VALUE, literals, sentences

from ocrtune import sentences as catalogue
from ocrtune.errors import ConfigError, TrainingError
from ocrtune.events import Failed
from ocrtune.sentences import TABLES, translate
from ocrtune.ui.words import said

HAVE_BOTH = "its table holds both languages beside each other, and its own test"
ON_TERMINAL = "a command that the page never starts"
MODULES = {  # whose sentences need no entry here
    "adapter_words": HAVE_BOTH,
    "adapter_card": "a card, which has a Chinese part",
    "advice_words": HAVE_BOTH,
    "cards": "a card, which has a Chinese part",
    "checkup_words": HAVE_BOTH,
    "hub_words": HAVE_BOTH,
    "learning_words": HAVE_BOTH,
    "remark_words": HAVE_BOTH,
    "report_words": HAVE_BOTH,
    "arguments": ON_TERMINAL,
    "cli": ON_TERMINAL,
    "console": ON_TERMINAL,
    "dataset_report": "its lines are for a terminal; the page shows the report itself",
    "deploying": ON_TERMINAL,
    "hub_spaces": ON_TERMINAL,
    "jobs_command": ON_TERMINAL,
    "read_command": ON_TERMINAL,
    "remote_command": ON_TERMINAL,
    "space_manifest": ON_TERMINAL,
    "stopping": ON_TERMINAL,
    "bench": ON_TERMINAL,
    "pretrain": ON_TERMINAL,
    "ui": "the words of the page are in words_en and words_zh; a test of its own looks there",
}
LITERALS = {  # that only look like sentences, or that nobody reads
    "A checkpoint cannot hold a {0}.": "a mistake in ocrtune",
    "`{0}` is no status.": "taken for an unreadable file",
    "Read the text in the picture. Answer with the text only.": "a prompt",
    "Text Recognition:": "a prompt",
    "{0} in {1} on {2}": "names of an optimizer, a type and a device",
}
REGULAR = re.compile(r"\(\?|\\[.d]")  # a regular expression, not words
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def said_by_programs() -> dict[str, str]:
    """Return every sentence that needs an entry, with the place of one of its literals."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        unit = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if unit in MODULES or unit.startswith("sentences"):
            continue
        for line, words in sentences(path):
            plain = words.strip()
            if plain not in LITERALS and not REGULAR.search(plain):
                found.setdefault(plain, f"{path.relative_to(PACKAGE)}:{line}")
    return found


SAID = said_by_programs()
OWN = {key: there for module in TABLES for key, there in module.SENTENCES.items()}
PHRASES = {key: there for module in TABLES for key, there in module.PHRASES.items()}


def test_every_sentence_has_its_chinese():
    missing = {words: place for words, place in SAID.items() if words not in OWN}
    assert len(SAID) > 600
    assert not missing


def test_no_entry_outlives_its_sentence():
    assert sorted(set(OWN) - set(SAID)) == []


def test_no_phrase_outlives_the_words_it_is_made_of():
    told = [words for path in PACKAGE.rglob("*.py") for _, words, _ in literals(path)
            if not path.name.startswith("sentences_zh")]  # fmt: skip
    all_words = "\n".join(VALUE.split(words)[number].strip() for words in told
                          for number in range(0, len(VALUE.split(words)), 2))  # fmt: skip
    system = {words for words in PHRASES if words in ERRNO}
    made_of = {
        phrase: [part for part in COMPOSED.split(phrase) if part.strip(" .;():") not in all_words]
        for phrase in PHRASES
        if phrase not in system
    }
    assert {phrase: parts for phrase, parts in made_of.items() if parts} == {}


ERRNO = {  # what the operating system calls its errors
    "No such file or directory", "Permission denied", "No space left on device", "Is a directory",
    "Not a directory", "Read-only file system", "File exists", "File name too long",
    "Input/output error", "Disk quota exceeded", "Too many open files", "File too large",
}  # fmt: skip
COMPOSED = re.compile(r"\{\d+\}|, the text| \(|\)|; |base model ")


def test_no_exclusion_outlives_what_it_excludes():
    units = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in PACKAGE.rglob("*")}
    everything = {words.strip() for path in PACKAGE.rglob("*.py") for _, words in sentences(path)}
    assert set(MODULES) <= units
    assert set(LITERALS) <= everything


@pytest.mark.parametrize("table", [OWN, PHRASES], ids=["sentences", "phrases"])
def test_both_languages_hold_the_same_values(table):
    for english, there in table.items():
        assert CHINESE.search(there) or there in SIGNS, english
        assert sorted(VALUE.findall(english)) == sorted(set(VALUE.findall(there))), english
        assert there == there.strip()


SIGNS = {"{0}"}  # what stands for an article


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("Stop it first.", "请先停止它。"),
        ("`a b.zip` is empty.", "`a b.zip` 是空的。"),
        ("`Stop it first.` is empty.", "`Stop it first.` 是空的。"),  # a name is no sentence
        ("`x` is not a zip but a RAR archive.", "`x` 不是 zip，而是 RAR 压缩包。"),
        ("`x` cannot be read: No space left on device.", "`x` 无法读取：磁盘空间不足。"),
        ("`x` cannot be read: whatever.", "`x` 无法读取：whatever。"),
        ("`{}` is empty.", "`{}` 是空的。"),
        ("Make room. Then go on from what is kept, or start again.",
         "请清理空间。然后从已保存的内容继续，或重新开始。"),
        ("The run goes on. This is nobody's sentence.", "训练继续。This is nobody's sentence."),
        ("The test split of `x` is empty: nothing to compare.",
         "`x` 的测试集是空的，没有可对比的内容。"),
        ("The adapter holds the weights of step 30 of 40: 12.5 % CER on the validation sample, "
         "base model 41.0 %.",
         "适配器保存的是第 30 步（共 40 步）的权重：验证样本的 CER 为 12.5 %，基础模型为 41.0 %。"),
        ("5 test samples occur in the train split too: 3 by the same picture, 2 by nearly the same "
         "picture. 4 of them are left out.",
         "测试集中有 5 个样本也出现在训练集里：图片相同的 3 个，图片几乎相同的 2 个。"
         "其中 4 个已排除。"),
        ("The copy to the Hub failed. `a/b` on the Hub cannot be reached now. The run goes on.",
         "复制到 Hub 没有成功。现在无法连接 Hub 上的 `a/b`。训练继续。"),
        ("There is no picture `a.png`.", "没有图片 `a.png`。"),  # of the remarks
        ("1 line: nothing of ours", "1 line: nothing of ours"),
        ("", ""),
    ],
)  # fmt: skip
def test_a_finished_sentence_is_found_with_its_values(english, chinese):
    assert translate("zh", english) == chinese
    assert translate("en", english) == english


@pytest.mark.parametrize("table", [OWN, PHRASES], ids=["sentences", "phrases"])
def test_every_entry_can_be_found(table):
    lost = []
    for english, there in table.items():
        number = len(VALUE.findall(english))
        values = [f"v{place}" for place in range(number)]
        found = translate("zh", english.replace("{{", "{").replace("}}", "}").format(*values)
                          if number else english.replace("{{", "{").replace("}}", "}"))  # fmt: skip
        if re.sub(r"\s", "", found) != re.sub(r"\s", "", there.format(*values)):
            lost.append((english, found))
    assert lost == []


@pytest.mark.parametrize(
    "words",
    [
        "x" * 100_000,
        "`" * 4000,
        "a. " * 1300,
        ", ".join(["`a` of `b`"] * 300),
        "The run goes on. " * 200,
        "`a` cannot be read: " * 190,
        " and ".join(["no `*a`"] * 400),
    ],
    ids=["long", "ticks", "dots", "list", "sentences", "nested", "and"],
)
def test_odd_texts_take_no_long(words):
    catalogue.best.cache_clear()
    catalogue.one.cache_clear()
    started = time.perf_counter()
    translate("zh", words)
    assert time.perf_counter() - started < 2  # a few hundredths of a second on a free machine


def test_an_error_and_a_failed_job_are_told_in_chinese():
    error = ConfigError("`steps` is 0.", "Use 1 or more; 60 is a good start.")
    assert said(error, "zh") == ("`steps` 是 0。", "请用 1 或更大的数；60 是好的起点。")
    assert said(error, "en") == (error.problem, error.fix)
    failed = Failed.of(TrainingError("The disk is full.", "Make room on the disk."))
    assert said(failed, "zh") == ("磁盘已满。", "请清理磁盘空间。")
