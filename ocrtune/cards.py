"""The words on the card of a shared dataset: for machines a mapping, for people Markdown.

What ocrtune writes stands between two marks. Whatever people write before or after them stays when
the dataset is pushed again.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from ocrtune.dataset_facts import DatasetFacts
from ocrtune.records import SPLITS, OcrContract

TAG = "ocrtune"  # by which what was made here is found on the Hub
BEGIN, END = "<!-- ocrtune: begin", "<!-- ocrtune: end -->"
OURS = re.compile(rf"{BEGIN}(?P<mark>.*?)-->.*?{END}\n?", re.S)
MARK = re.compile(r"\b(content|files)=([0-9a-f]{64})\b")
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
MIB = 1024 * 1024
SHOWN_SCRIPTS = 12


@dataclass(frozen=True)
class Mark:
    """What the card says of the data beside it; empty where it says nothing."""

    content: str = ""  # the digest of the dataset
    files: str = ""  # the digest of its files


@dataclass(frozen=True, kw_only=True)
class DatasetCard:
    """What goes on a card beside what the facts tell."""

    repo_id: str
    facts: DatasetFacts
    license: str = ""
    languages: tuple[str, ...] = ()
    revision: str = ""  # the branch it is for; empty: `main`
    contract: OcrContract | None = None

    def metadata(self) -> dict:
        """Return what the card says to machines, without what `datasets` says itself."""
        languages = list(self.languages) or self.facts.languages()
        told = {
            "language": languages,
            "license": self.license,
            "task_categories": ["image-to-text"],
            "tags": [TAG, "ocr", "image"],
            "pretty_name": self.repo_id.split("/")[-1],
            "size_categories": [size_category(self.facts.samples)],
        }
        return {name: value for name, value in told.items() if value}

    def text(self, files: str) -> str:
        """Return the words between the marks; files: the digest of the files beside them."""
        mark = f"{BEGIN}. A push writes this part anew, up to the end mark; what stands before or"
        mark += f" after it stays.\ncontent={self.facts.digest}\nfiles={files} -->"
        parts = [
            f"# {self.repo_id.split('/')[-1]}",
            f"{self.facts.samples:,} pictures with the right text of each, to fine-tune and to "
            f"measure OCR models. Made with ocrtune. [中文说明](#中文说明)",
            self.contents(),
            self.origin(),
            self.usage(),
            self.chinese(),
        ]
        return "\n\n".join([mark, *parts, END]) + "\n"

    def contents(self) -> str:
        """Return what is in the dataset: splits, columns, scripts."""
        rows = [
            f"| `{split}` | {one.samples:,} | {one.characters:,} | {one.picture_bytes / MIB:.1f} |"
            for split, one in self.facts.splits.items()
        ]
        splits = table(["split", "samples", "characters", "pictures, MiB"], rows)
        columns = table(
            ["column", "what it holds"],
            [
                "| `image` | the picture, as it was given |",
                "| `text` | the ground truth: what stands on the picture |",
                "| `picture_id` | the picture's name, unique in the dataset |",
            ],
        )
        total = sum(self.facts.scripts.values()) or 1
        shown = list(self.facts.scripts.items())[:SHOWN_SCRIPTS]
        scripts = table(
            ["script", "characters", "share"],
            [f"| {name} | {count:,} | {share(count, total)} |" for name, count in shown],
        )
        lengths = f"A text has {self.facts.shortest:,} to {self.facts.longest:,} characters."
        common = "`common` are digits, signs and spaces, which scripts share."
        return f"## What it holds\n\n{splits}\n\n{columns}\n\n{lengths}\n\n{scripts}\n\n{common}"

    def origin(self) -> str:
        """Return where it is from, and how its texts are to be understood."""
        lines = [f"- Source: {source(self.facts.source)}."]
        if self.facts.shape:
            lines.append(f"- Ground truth: {code(self.facts.shape)}.")
        if self.facts.edits:
            lines.append(f"- Corrected by people after it was built: {self.facts.edits:,} samples.")
        lines.append(
            "- Normalisation: the texts are stored as they were given, without white space at the "
            "ends. ocrtune counts errors under its profile "
            f"`{self.contract.profile if self.contract else 'strict'}`"
            " (`strict`: Unicode NFC, each run of white space one space)."
        )
        if self.contract:
            one = self.contract
            lines.append(
                f"- Read under contract `{one.digest()}`: base model {code(one.base_model)} at "
                f"{code(one.revision)}, layout {code(one.layout)}, prompt {code(one.prompt)}."
            )
        held = f"`{self.license}`" if self.license else "not said; ask whoever shares it"
        lines.append(f"- Licence: {held}.")
        return "## Where it is from\n\n" + "\n".join(lines)

    def usage(self) -> str:
        """Return how it is loaded, as commands and code to copy."""
        return (
            "## How to load it\n\n"
            f"{self.code()}\n\nFine-tune on it with ocrtune:\n\n{self.commands()}\n\n"
            "If it is private, sign in first with `hf auth login`."
        )

    def code(self) -> str:
        """Return the lines for `datasets`."""
        more = f', revision="{self.revision}"' if self.revision else ""
        return (
            f'```python\nfrom datasets import load_dataset\n\ndataset = load_dataset("'
            f'{self.repo_id}"{more})\nsample = dataset["train"][0]\n'
            'print(sample["image"].size, sample["text"])\n```'
        )

    def commands(self) -> str:
        """Return the commands for ocrtune."""
        more = f" --revision {self.revision}" if self.revision else ""
        name = self.repo_id.split("/")[-1]
        return (
            f"```\npython -m ocrtune build {self.repo_id}{more} --rows {self.facts.samples} "
            f"--output {name}/dataset\n"
            f"python -m ocrtune train --data {name}/dataset --output {name}/run\n```"
        )

    def chinese(self) -> str:
        """Return the short part in Chinese."""
        names = dict(zip(SPLITS, ("训练", "验证", "测试"), strict=True))
        counts = "、".join(
            f"{names[split]} {one.samples:,}" for split, one in self.facts.splits.items()
        )
        held = f"`{self.license}`" if self.license else "未注明，请询问分享者"
        return (
            f"## 中文说明\n\n本数据集由 ocrtune 制作，共 {self.facts.samples:,} 张图片，"
            f"每张都配有正确文字（{counts}），可用于微调和评测 OCR 模型。"
            "`image` 列是图片，`text` 列是图片上的文字，`picture_id` 是图片名称。"
            f"文字保持原样，仅去掉首尾空白。许可证：{held}。\n\n"
            f"用 `datasets` 加载，或用 ocrtune 训练：\n\n{self.commands()}"
        )


def table(heads: list[str], rows: list[str]) -> str:
    """Return a table in Markdown."""
    return "\n".join([f"| {' | '.join(heads)} |", "|" + " --- |" * len(heads), *rows])


def share(count: int, total: int) -> str:
    """Return a share as people read it."""
    part = 100 * count / total
    return "< 0.1 %" if part < 0.1 else f"{part:.1f} %"


def code(words: str) -> str:
    """Return words that may hold anything as they are, in Markdown."""
    plain = " ".join(words.split()).replace("`", "'").replace("|", "/").replace("<!--", "<! --")
    return f"`{plain[:200]}`" if plain else "(none)"


def source(words: str) -> str:
    """Return where a dataset is from."""
    if re.fullmatch(r"[\w.-]+/[\w.-]+/tree/[0-9A-Za-z]+", words):
        name, _, commit = words.partition("/tree/")
        return f"[{name}](https://huggingface.co/datasets/{words}) at commit `{commit[:12]}`"
    return code(words)


def size_category(samples: int) -> str:
    """Return the Hub's word for how large a dataset is."""
    return next((name for most, name in SIZES if samples < most), "1M<n<10M")


def read_mark(card: str) -> Mark | None:
    """Return what a card of ours says of its data; None for a card of somebody else."""
    found = OURS.search(card)
    return Mark(**dict(MARK.findall(found["mark"]))) if found else None


def with_text(body: str, text: str) -> str:
    """Return the body of a card with our part in its place; without one before, at the end."""
    found = OURS.search(body)
    if found:
        return body[: found.start()] + text + body[found.end() :]
    return f"{body.rstrip()}\n\n{text}".lstrip() if body.strip() else text


def with_metadata(known: Mapping, told: Mapping) -> dict:
    """Return what a card said to machines with what it says now.

    Tags that people added stay, and so does whatever they wrote that we do not know better.
    """
    merged = {**known, **told}
    for name in ("tags", "task_categories"):
        merged[name] = joined(known.get(name), told.get(name))
    merged["pretty_name"] = known.get("pretty_name") or told.get("pretty_name")
    return {name: value for name, value in merged.items() if value not in (None, "", [])}


def joined(known: object, told: object) -> list:
    """Return what two entries of a card list, each once; an entry may be a single word."""
    lists = [[one] if isinstance(one, str) else one for one in (known, told)]
    kept = [word for one in lists if isinstance(one, list) for word in one]
    return list(dict.fromkeys(word for word in kept if isinstance(word, str)))


def files_digest(files: Mapping[str, str]) -> str:
    """Return what differs when one of the files is another one; files: their digests by name."""
    text = "\n".join(f"{name} {digest}" for name, digest in sorted(files.items()))
    return hashlib.sha256(text.encode()).hexdigest()
