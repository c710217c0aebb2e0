"""Libraries: a folder is a folder, a package is never imported, and what is missing is named."""

import importlib
import os
import sys
import zipfile
from importlib.resources import files

import pytest

from diptych import Library, TemplateNotFound

#: A package whose import ends the test.
DEADLY = "raise SystemExit('the package was imported')"


def missing(*roots):
    with pytest.raises(TemplateNotFound) as caught:
        Library(*roots)
    return caught.value


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """Make packages of every kind, all of which die when they are imported."""
    for folder in ("outer/prompts", "outer/inner/prompts", "outer/inner/deep/er"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "hi.jinja").write_text(f"{folder} {{{{ n }}}}")
    (tmp_path / "outer" / "__init__.py").write_text(DEADLY)
    (tmp_path / "outer" / "inner" / "__init__.py").write_text(DEADLY)
    (tmp_path / "outer" / "plain.py").write_text(DEADLY)
    (tmp_path / "single.py").write_text(DEADLY)
    (tmp_path / "spaced" / "prompts").mkdir(parents=True)  # no __init__: a namespace
    (tmp_path / "spaced" / "prompts" / "hi.jinja").write_text("spaced {{ n }}")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("zipped/__init__.py", DEADLY)
        archive.writestr("zipped/prompts/hi.jinja", "zipped {{ n }}")
        archive.writestr("zipped/prompts/sub/more.jinja", "{% include 'hi.jinja' %}!")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path / "all.zip"))
    importlib.invalidate_caches()
    return tmp_path


@pytest.mark.parametrize(
    ("root", "text"),
    [
        ("outer:prompts", "outer/prompts x"), ("outer.inner:prompts", "outer/inner/prompts x"),
        ("outer:inner/prompts", "outer/inner/prompts x"), ("outer.inner:deep/er", "outer/inner/deep/er x"),
        ("outer:prompts/", "outer/prompts x"), ("spaced:prompts", "spaced x"), ("zipped:prompts", "zipped x"),
    ],
)  # fmt: skip
def test_a_package_is_found_and_not_imported(packages, root, text):
    before = set(sys.modules)
    library = Library(root)
    assert library["hi"].render(n="x").prompt == text
    assert "hi.jinja" in list(library)
    assert not {name for name in set(sys.modules) - before if name.split(".")[0] in ("outer", "zipped", "spaced")}


def test_templates_in_a_zip_file_include_each_other(packages):
    assert Library("zipped:prompts")["sub/more"].render(n="x").prompt == "zipped x!"


@pytest.mark.parametrize(
    ("root", "words"),
    [
        ("nope", "there is no folder 'nope' in "), ("./nope", "there is no folder './nope' in "),
        ("templates", "there is no folder 'templates' in "), ("../nope/", "there is no folder '../nope/' in "),
        (".nope", "there is no folder '.nope' in "), ("a.b.c", "there is no folder 'a.b.c' in "),
        ("outer", "there is no folder 'outer' in "), ("single", "there is no folder 'single' in "),
        ("this", "there is no folder 'this' in "), ("email", "there is no folder 'email' in "),
        ("a\0b", "there is no folder"), ("nope:prompts", "there is no package 'nope'"),
        ("nope.deeper:prompts", "there is no package 'nope'"), ("outer:nope", "has no folder 'nope'"),
        ("outer:../outer", "is not a template name"), ("outer:/etc", "there is no folder 'outer:/etc'"),
        ("outer:", "there is no folder 'outer:'"), (":prompts", "there is no folder ':prompts'"),
        ("single:prompts", "'single' is a module, not a package"),
        ("outer.plain:prompts", "the package 'outer' has no folder 'plain/prompts'"),
        ("this:prompts", "'this' is a module, not a package"), ("sys:prompts", "'sys' is a module, not a package"),
        ("outer..inner:prompts", "there is no folder"), ("http://x/y", "there is no folder"),
        ("outer.inner.deep.nope:x", "the package 'outer' has no folder 'inner/deep/nope/x'"), (3, "cannot be made of a int"),
        (None, "cannot be made of a NoneType"), (b"x", "cannot be made of a bytes"),
    ],
)  # fmt: skip
def test_what_is_missing_is_named_and_nothing_is_imported(packages, root, words):
    before = set(sys.modules)
    assert words in missing(root).message
    assert not {"this", "single", "outer"} & (set(sys.modules) - before)


def test_the_message_says_where_it_looked(packages):
    assert missing("nope").message == f"there is no folder 'nope' in {os.getcwd()!r}"
    absolute = str(packages / "nope")
    assert missing(absolute).message == f"there is no folder {absolute!r}"
    assert "package:folder" in missing("outer").hint
    (packages / "elsewhere" / "one.jinja").write_text("x")
    error = missing("one.jinja")
    assert (error.message, error.hint) == (
        "'one.jinja' is a file, not a folder",
        "load one template with load('one.jinja')",
    )


def test_a_module_or_a_folder_of_resources_is_a_root(tmp_path, monkeypatch):
    (tmp_path / "living" / "prompts").mkdir(parents=True)
    (tmp_path / "living" / "__init__.py").write_text("")
    (tmp_path / "living" / "top.jinja").write_text("top")
    (tmp_path / "living" / "prompts" / "hi.jinja").write_text("hi")
    monkeypatch.syspath_prepend(str(tmp_path))
    module = importlib.import_module("living")
    assert Library(module)["prompts/hi"].render().prompt == "hi"
    assert Library(files("living"))["top"].render().prompt == "top"
    assert Library("living:prompts")["hi"].render().prompt == "hi"
    assert (
        "module, not a package" in missing(importlib.import_module("this" if "this" in sys.modules else "ast")).message
    )


def test_a_folder_comes_before_a_package_of_the_same_name(packages):
    (packages / "elsewhere" / "outer").mkdir()
    (packages / "elsewhere" / "outer" / "hi.jinja").write_text("folder")
    assert Library("outer")["hi"].render().prompt == "folder"
