"""Which files are the project's own: Git itself is the oracle."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import diptych
from diptych.walk import is_ignored, iter_files, iter_paths, parse_pattern, read_patterns

git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def make(root, names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")


def found(root, endings=(".py",), **options):
    return [path.relative_to(root).as_posix() for path in iter_files(root, endings, **options)]


def test_hidden_and_vendored_folders_are_left_out(tmp_path):
    make(
        tmp_path,
        ["a.py", "b/c.py", "b/d.txt", ".hidden/e.py", ".f.py", "node_modules/g.py", "venv/h.py", "x.egg-info/i.py"],
    )
    assert found(tmp_path) == ["a.py", "b/c.py"]
    assert found(tmp_path, (".txt",)) == ["b/d.txt"]


def test_environments_and_caches_are_known_by_their_marks(tmp_path):
    make(tmp_path, ["a.py", "py311/pyvenv.cfg", "py311/b.py", "cache/CACHEDIR.TAG", "cache/c.py", "__pycache__/d.py"])
    assert found(tmp_path) == found(tmp_path, ignore=False) == ["a.py"]
    assert found(tmp_path / "py311") == ["b.py"], "the folder that is named is searched"


def test_without_ignore_all_but_hidden_and_installed_files_are_found(tmp_path):
    names = ["build/a.py", "gen/b.py", ".git/c.py", "node_modules/d.py", "old/e.py", "venv/f.py", "venv/pyvenv.cfg"]
    make(tmp_path, names)
    (tmp_path / ".gitignore").write_text("gen/\n")
    (tmp_path / "diptych.toml").write_text("exclude = ['old/']")
    assert found(tmp_path) == []
    assert found(tmp_path, ignore=False) == ["build/a.py", "gen/b.py", "old/e.py"]


def test_a_file_that_is_named_is_taken(tmp_path):
    make(tmp_path, ["gen/a.py", "b.py", "c.txt"])
    (tmp_path / ".gitignore").write_text("gen/\nc.txt\n")
    named = [tmp_path / "gen" / "a.py", tmp_path / "c.txt"]
    assert list(iter_paths([*named, tmp_path], (".py",))) == [*named, tmp_path / "b.py"]


def test_ignored_files_are_left_out(tmp_path):
    make(
        tmp_path,
        [
            "a.py",
            "gen/b.py",
            "gen/keep.py",
            "c_pb2.py",
            "sub/c_pb2.py",
            "sub/only.py",
            "deep/gen/d.py",
            "sub/x/only.py",
        ],
    )
    (tmp_path / ".gitignore").write_text("# made by tools\n*_pb2.py\n/gen/*\n!/gen/keep.py\n")
    (tmp_path / "sub" / ".gitignore").write_text("/only.py\n!c_pb2.py\r\n")
    assert found(tmp_path) == ["a.py", "deep/gen/d.py", "gen/keep.py", "sub/c_pb2.py", "sub/x/only.py"]


def test_a_folder_of_a_checkout_knows_the_patterns_above(tmp_path):
    make(tmp_path, ["src/a.py", "src/gen/b.py", "src/c_pb2.py"])
    (tmp_path / ".git" / "info").mkdir(parents=True)
    (tmp_path / ".git" / "info" / "exclude").write_text("c_pb2.py\n")
    (tmp_path / ".gitignore").write_text("/src/gen/\n")
    assert found(tmp_path / "src") == ["a.py"]


@pytest.mark.parametrize(
    ("name", "text"),
    [("diptych.toml", 'exclude = ["/old/", "*_test.py"]'), ("pyproject.toml", '[tool.diptych]\nexclude = ["/old/", "*_test.py"]')],
)  # fmt: skip
def test_exclude_of_the_configuration(tmp_path, name, text, monkeypatch):
    make(tmp_path, ["a.py", "old/b.py", "new/old/c.py", "new/d_test.py"])
    (tmp_path / name).write_text(text)
    assert found(tmp_path) == ["a.py", "new/old/c.py"]
    assert found(tmp_path / "new") == ["old/c.py"]
    monkeypatch.chdir(tmp_path)
    assert [path.as_posix() for path in iter_files(Path("."), (".py",))] == ["a.py", "new/old/c.py"]


@pytest.mark.parametrize("text", ['exclude = "x"', "exclude = ["])
def test_a_configuration_that_cannot_be_read_is_an_error(tmp_path, text):
    (tmp_path / "diptych.toml").write_text(text)
    with pytest.raises(diptych.ConfigError, match=r"exclude|configuration"):
        found(tmp_path)


def test_links_out_of_the_folder_are_not_followed(tmp_path):
    make(tmp_path, ["in/a.py", "out/b.py"])
    try:
        os.symlink(tmp_path / "out" / "b.py", tmp_path / "in" / "b.py")
        os.symlink(tmp_path / "in" / "a.py", tmp_path / "in" / "c.py")
        os.symlink(tmp_path / "out", tmp_path / "in" / "folder")
        os.symlink(tmp_path / "in", tmp_path / "in" / "loop")
    except OSError:
        pytest.skip("there are no links here")
    assert found(tmp_path / "in") == ["a.py", "c.py"]


# Git as the oracle -----------------------------------------------------------------------------------

NAMES = ["a", "ab", "a.py", "b.py", "a b", "foo", "foo.bar", "a-b", "x]y", "B", "a!", "#c", "1"]
LINES = [
    "*", "*.py", "/a", "a/", "a", "!a", "**/a", "a/**", "a/**/b.py", "**", "/*", "/a/b*", "foo*", "f?o", "[ab]", "[!a]*",
    "[a-c].py", "[^a]", r"\#c", "#c", r"a\ ", "a ", "a b", "b/", "!b/", "/b/a", "b/a", "*/a", "a/*/a", "a**b", "**b", "b**/a",
    "**/a/**", "a/b/", "[[:digit:]]", "[[:alpha:]]*", "x]y", "[]x]]y", r"\!a", "a!", "[a", "a\\", "", "/", "//", "!", "a//b",
    "/**/a", "**/", "a/**/", "*/", "/*/b.py", "[z-a]", "[a-]b", r"[\]x]]y", "***", "a/***", "foo.*", "!*.py", "?", "[*]", "B", "b", "[A-C]",
]  # fmt: skip


def oracle(root, paths):
    """Ask Git which paths are ignored; for one inside an ignored folder that folder is asked about, too."""
    asked = "\0".join(paths)
    done = subprocess.run(
        ["git", "-c", "core.excludesFile=", "-c", "core.ignoreCase=false", "check-ignore", "-z", "--stdin", "--no-index"],
        cwd=root, input=asked, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    return {name for name in done.stdout.split("\0") if name}


def ours(root, paths):
    """Tell which paths are left out, walking down as the walk does."""
    left_out = set()
    for name in paths:
        parts = name.split("/")
        patterns = []
        for number in range(1, len(parts) + 1):
            folder = root.joinpath(*parts[: number - 1])
            patterns = [*patterns, *read_patterns(folder / ".gitignore", folder)]
            path = root.joinpath(*parts[:number])
            if is_ignored(path, patterns, is_folder=path.is_dir()):
                left_out.add(name)
                break
    return left_out


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    root = tmp_path_factory.mktemp("checkout")
    subprocess.run(["git", "init", "-q", "."], cwd=root, check=True)
    for folder in ("", "a/", "b/", "a/a/", "a/b/", "b/a/", "foo/"):
        for name in NAMES:
            path = root / f"{folder}{name}"
            if not path.exists() and f"{folder}{name}" not in ("a", "b", "foo", "a/a", "a/b", "b/a"):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text("")
    paths = [path.relative_to(root).as_posix() for path in sorted(root.rglob("*")) if ".git" not in path.parts]
    return root, paths


@git
@pytest.mark.parametrize("line", LINES)
def test_one_line_is_read_as_git_reads_it(checkout, line):
    root, paths = checkout
    (root / ".gitignore").write_bytes(line.encode() + b"\n")
    assert ours(root, paths) == oracle(root, paths)


@git
@given(
    st.lists(st.sampled_from(LINES), max_size=5),
    st.lists(st.sampled_from(LINES), max_size=3),
    st.sampled_from(["\n", "\r\n"]),
)
def test_files_of_lines_are_read_as_git_reads_them(checkout, top, nested, end):
    root, paths = checkout
    (root / ".gitignore").write_bytes(end.join(top).encode())
    (root / "a" / ".gitignore").write_bytes(end.join(nested).encode())
    try:
        kept = [path for path in paths if not path.endswith(".gitignore")]
        assert ours(root, kept) == oracle(root, kept)
    finally:
        (root / "a" / ".gitignore").unlink()


def test_nothing_is_no_pattern():
    assert parse_pattern("", Path(".")) is None
    assert parse_pattern("# x", Path(".")) is None
