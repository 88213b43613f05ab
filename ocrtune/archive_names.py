"""The names in an archive: which are refused, which only left alone, and what is said about them.

Nothing is ever written under a name, so one that only Windows or a reader trips over is kept and
named; one that no honest program writes refuses the zip.
"""

import posixpath
import re
import stat
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from ocrtune.content import decode, fold, is_picture_name
from ocrtune.errors import ArchiveError
from ocrtune.remarks import Remark, remark

LITTER = (".ds_store", "thumbs.db", "desktop.ini", ".directory", ".gitkeep", ".gitattributes")
# What ground truth of some shape is read from, or what lies beside it in every download.
READ_SUFFIXES = (".md", ".txt", ".csv", ".tsv", ".tab", ".json", ".jsonl", ".ndjson", ".jsonlines")
READ_SUFFIXES += (".xml", ".alto", ".page", ".list", ".lst", ".parquet", ".pdf")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")  # a terminal would obey them
TURNING = re.compile(r"[\u202a-\u202e\u2066-\u2069]")  # show a name in another order than it has
NOT_ON_WINDOWS = re.compile(
    r"(?:^|/)(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3]) *(?:\.|/|$)"
    r'|[<>:"|?*]|[. ](?:/|$)',
    re.I | re.M,
)
SHOWN_NAMES, SHOWN_KINDS = 3, 6  # in a remark
SHOWN_CHARS = 80  # of a name in a sentence


def is_litter(name: str) -> bool:
    """Whether an operating system or a program left this file behind."""
    base = posixpath.basename(name)
    return name.startswith("__MACOSX/") or base.startswith("._") or base.lower() in LITTER


def tidy(name: str) -> str:
    """Return the name with forward slashes and without empty or `.` folders; its root is kept."""
    if "\\" not in name and "//" not in name and "./" not in name:
        return name
    name = name.replace("\\", "/")
    if name.startswith("/"):
        return name
    kept = [part for part in name.split("/") if part not in ("", ".")]
    return "/".join(kept) + ("/" if name.endswith(("/", "/.")) and kept else "")


def name_problem(name: str, info: zipfile.ZipInfo, most_chars: int) -> str:
    """Return why a name has no place in an honest zip, or an empty string."""
    kind = stat.S_IFMT(info.external_attr >> 16)
    shown = ascii(name[:SHOWN_CHARS])
    if len(name) > most_chars:
        return f"a name is longer than {most_chars} characters"
    if kind == stat.S_IFLNK:
        return f"{shown} is a link"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return f"{shown} is not a file"
    if name.startswith("/") or re.match(r"[A-Za-z]:", name):
        return f"{shown} is an absolute path"
    if ".." in name and ".." in name.split("/"):
        return f"{shown} leads out of the archive"
    if "\0" in info.orig_filename or CONTROL.search(name):
        return f"{shown} holds control characters"
    return ""


def recover_names(infos: Sequence[zipfile.ZipInfo]) -> list[str]:
    """Return the names as their author wrote them.

    Without the UTF-8 flag zipfile reads names as cp437, while macOS writes UTF-8, a Chinese
    Windows GBK or Big5, a Japanese one Shift-JIS. All names of a zip come from one machine,
    so they are judged together.
    """
    names = [info.filename for info in infos]
    unflagged = [index for index, info in enumerate(infos) if not info.flag_bits & 0x800]
    try:
        raw = "\n".join(names[index] for index in unflagged).encode("cp437")
        text, encoding = decode(raw)
    except (UnicodeEncodeError, ArchiveError):
        return names
    recovered = text.split("\n")
    sound = encoding in ("utf-8", "gb18030", "big5", "cp932") and "\ufffd" not in text
    if unflagged and sound and len(recovered) == len(unflagged):
        for index, name in zip(unflagged, recovered, strict=True):
            names[index] = name
    return names


def name_remarks(names: Iterable[str], repeated: Sequence[str]) -> list[Remark]:
    """Return what is odd about the names of files that are kept, a remark for each kind.

    repeated: the name of each file that was passed over because a later one has the same name.
    """
    names = sorted(names)
    found = (
        ("names_repeated", sorted(repeated)),
        ("names_alike", alike(names)),
        ("names_windows", matching(NOT_ON_WINDOWS, names)),
        ("names_turning", matching(TURNING, names)),
    )
    remarks = [remark(key, count=len(odd), names=shown(odd)) for key, odd in found if odd]
    if left := left_alone(names):
        remarks.append(remark("others_left", count=left.total(), kinds=kinds(left)))
    return remarks


def alike(names: Iterable[str]) -> list[str]:
    """Return the names that differ from another one only by case or Unicode form."""
    forms: dict[str, list[str]] = defaultdict(list)
    for name in names:
        forms[name.lower() if name.isascii() else fold(name)].append(name)
    return [name for group in forms.values() if len(group) > 1 for name in group]


def matching(pattern: re.Pattern, names: Sequence[str]) -> list[str]:
    """Return the names with the pattern; all are looked at at once before each is."""
    if not pattern.search("\n".join(names)):
        return []
    return [name for name in names if pattern.search(name)]


def left_alone(names: Iterable[str]) -> Counter[str]:
    """Return how many files nothing reads, by their suffix, or by name where they have none."""
    return Counter(
        posixpath.splitext(name)[1].lower() or posixpath.basename(name)
        for name in names
        if not is_picture_name(name) and not name.lower().endswith(READ_SUFFIXES)
    )


def kinds(left: Counter[str]) -> list[str]:
    """Return the suffixes with their numbers, the most frequent first."""
    most = sorted(left.items(), key=lambda item: (-item[1], item[0]))
    words = [f"{count:,} `{clean_name(suffix)}`" for suffix, count in most[:SHOWN_KINDS]]
    return words + ["…"] * (len(most) > SHOWN_KINDS)


def shown(names: Sequence[str]) -> list[str]:
    """Return the first names for a sentence."""
    some = [f"`{clean_name(name)}`" for name in dict.fromkeys(names)]
    return some[:SHOWN_NAMES] + ["…"] * (len(some) > SHOWN_NAMES)


def clean_name(name: str) -> str:
    """Return a name as it may be shown: short, and what is invisible written out."""
    escaped = TURNING.sub(lambda found: ascii(found.group())[1:-1], name)
    return escaped if len(escaped) <= SHOWN_CHARS else escaped[:SHOWN_CHARS] + "…"
