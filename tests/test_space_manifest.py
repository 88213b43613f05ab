"""Manifests are read strictly, and what git ignores never leaves the machine."""

import re
import shutil
import subprocess

import pytest

from ocrtune.errors import ConfigError
from ocrtune.ignoring import glob_pattern, list_files
from ocrtune.space_manifest import find_files, load_manifest, parse_manifest

GOOD = "version: 1\nrepo: {name: my-ocr}\nfiles: {include: [app.py]}\n"


def test_a_short_manifest_costs_nothing_and_names_fill_in():
    manifest = parse_manifest(GOOD + 'variables: {A: "{owner}/{name}", B: x}').filled("me", "other")
    assert (manifest.hardware, manifest.visibility, manifest.sleep_time) == (
        "cpu-basic",
        "public",
        None,
    )
    assert manifest.variables == {"A": "me/other", "B": "x"}


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("hardwear: t4-small", "unknown key `hardwear`.*Did you mean `hardware`"),
        ("version: 1", "line 4: `version` stands there twice"),
        ("variables: {STEPS: 200}", '`STEPS` is 200, which is no text.*`STEPS: "200"`'),
        ("? [a]\n: b", "holds no names|not YAML"),
        ("variables: {SET: yes}", "is True, which is no text"),
        ("variables: {A B: c}", "'A B' cannot name a variable"),
        ("variables: [A]", "holds no names with values"),
        ("secrets: {A: hf_abc}", "`secrets` holds values.*List only names"),
        ("secrets: [A]\nvariables: {A: x}", "`A` is a variable and a secret"),
        ("sleep_time: 1.5", "`sleep_time` is 1.5"),
        ("sleep_time: 0", "`sleep_time` is 0"),
        ("volumes: [{type: disk, source: a/b, mount_path: /data}]", "type of a volume is 'disk'"),
        ("volumes: [{type: bucket, source: a/b, mount_path: data}]", "`mount_path` is `data`"),
        ("volumes: [{type: bucket, source: b, mount_path: /data}]", "`source` is `b`"),
        ("volumes: [{type: bucket, mount_path: /data}]", "`source` is None"),
        ("x: [", "not YAML in line"),
        ("variables: !!python/object/apply:os.system [ls]", "not YAML"),
    ],
)
def test_what_is_not_understood_is_refused(more, words):
    with pytest.raises(ConfigError, match=f"(?s){words}"):
        parse_manifest(GOOD + more)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no names"),
        ("version: 2", "`version` is 2"),
        ("version: true", "`version` is True"),
        ("version: 1", "`repo` holds no names"),
        ("version: 1\nrepo: {name: a/b}", "`a/b` cannot name a Space"),
        ("version: 1\nrepo: {name: a, visibility: hidden}", "Use public or private"),
        ("version: 1\nrepo: {name: a}\nfiles: {}", "names no file"),
        ("version: 1\nrepo: {name: a}", "`files` holds no names"),
        ("a: &a [*a]", "unknown key `a`"),
        ("{" * 5000, "not YAML"),
    ],
)
def test_what_is_missing_is_said(text, words):
    with pytest.raises(ConfigError, match=words):
        parse_manifest(text)


def test_an_unknown_name_in_braces_and_a_missing_file_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="`A` holds `{user}`"):
        parse_manifest(GOOD + 'variables: {A: "{user}/x"}').filled("me", "x")
    with pytest.raises(ConfigError, match="--manifest"):
        load_manifest(tmp_path / "space.yaml")


IGNORES = [
    "*.log",
    "/top.txt",
    "build/",
    "docs/*.md",
    "!docs/keep.md",
    "a/**/z",
    "**/deep",
    "x[0-9].txt",
    "x[!ab].dat",
    "end/**",
    "q?.c",
    "\\#sharp",
    "\\!bang",
    "space\\ ",
    "trail   ",
    "lib/*/out",
]
FILES = [
    "a.log b/c.log top.txt b/top.txt build/x b/build/x buildx docs/a.md docs/keep.md",
    "docs/in/a.md a/z a/b/z a/b/c/z z deep b/deep/f x1.txt xa.txt xc.dat xa.dat end/f end/g/h",
    "q1.c q12.c #sharp !bang trail lib/one/out lib/one/two/out b/only.tmp b/keep.tmp #other",
]


@pytest.mark.skipif(not shutil.which("git"), reason="git says what it ignores")
def test_files_are_ignored_as_git_ignores_them(tmp_path):
    (tmp_path / ".gitignore").write_text("# a comment\n\n" + "\n".join(IGNORES), "utf-8")
    for name in " ".join(FILES).split():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, "utf-8")
    (tmp_path / "b" / ".gitignore").write_text("*.tmp\n!keep.tmp\n/top.txt\n", "utf-8")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    command = ["git", "-c", "core.excludesFile=", "ls-files", "-z", "--others"]
    told = subprocess.run([*command, "--exclude-standard"], cwd=tmp_path, capture_output=True)
    assert set(list_files(tmp_path)) == set(told.stdout.decode().strip("\0").split("\0"))


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("app.py", "app.py", True),
        ("*.py", "a/b.py", False),
        ("**/*.py", "b.py", True),
        ("pkg/**", "pkg/a/b", True),
        ("pkg/**", "pkg", False),
        ("pkg/*", "pkg/a/b", False),
        ("a.py", "aXpy", False),
    ],
)
def test_patterns_of_files_know_folders(pattern, path, fits):
    assert bool(glob_pattern(pattern).fullmatch(path)) is fits


def test_no_link_leads_out_and_no_pattern_is_left_over(tmp_path):
    (tmp_path / "app.py").write_text("1", "utf-8")
    with pytest.raises(ConfigError, match=re.escape("`include` names `lib/**`")):
        find_files(tmp_path, ("app.py", "lib/**"))
    (tmp_path / "key.txt").symlink_to("/etc/hostname")
    with pytest.raises(ConfigError, match="`key.txt` is a link"):
        find_files(tmp_path, ("*",))
    assert list(find_files(tmp_path, ("app.py",))) == ["app.py"]
