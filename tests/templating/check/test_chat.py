"""The properties of chat templates: each is shown by a rendering, on examples and on public templates."""

from __future__ import annotations

import collections
import gzip
import json
import struct
from pathlib import Path

import pytest

from diptych import FormatError
from diptych.templating.check import ChatSubject, all_rules, check_chat, check_paths, is_chat_template, selected
from diptych.templating.check.chat import chat_templates_of

from .cases import CHAT_FIRES, CHAT_SILENT, FULL

CORPUS = Path(__file__).parents[4] / "shared/corpora/chat_templates.jsonl.gz"
RULES = {rule.code: rule for rule in all_rules() if rule.is_chat}


@pytest.mark.parametrize("code", RULES)
def test_examples(code: str) -> None:
    rule = RULES[code]
    found = check_chat(ChatSubject("bad", rule.bad), (rule,))
    assert {one.code for one in found} == {code}
    assert all(one.hint for one in found)
    assert check_chat(ChatSubject("good", rule.good), (rule,)) == []


def test_every_rule_has_cases() -> None:
    assert RULES.keys() == CHAT_FIRES.keys() == CHAT_SILENT.keys()
    assert min(map(len, [*CHAT_FIRES.values(), *CHAT_SILENT.values()])) >= 3


@pytest.mark.parametrize(("code", "source"), [(code, one) for code, many in CHAT_FIRES.items() for one in many])
def test_a_rule_finds_its_property(code: str, source: str) -> None:
    found = check_chat(ChatSubject("x", source), (RULES[code],))
    assert {one.code for one in found} == {code}
    assert all(one.location.line >= 1 and one.location.column >= 1 for one in found)


@pytest.mark.parametrize(("code", "source"), [(code, one) for code, many in CHAT_SILENT.items() for one in many])
def test_a_rule_is_silent(code: str, source: str) -> None:
    assert check_chat(ChatSubject("x", source), (RULES[code],)) == []


def test_a_template_can_have_all_properties() -> None:
    # Tools stand at the end of this one, so that a prefix with tools would change; none are given here.
    assert check_chat(ChatSubject("clean", FULL), tuple(RULES.values())) == []


def test_public_templates() -> None:
    if not CORPUS.exists():
        pytest.skip("the public chat templates are not beside this checkout")
    with gzip.open(CORPUS, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    sources = {row["template_id"]: row["template"] for row in rows}
    told: collections.Counter[str] = collections.Counter()
    tools = wrong = 0
    for name, source in sources.items():
        subject = ChatSubject(name, source)
        codes = {one.code for one in check_chat(subject, selected(["H"]))}
        told.update(codes)
        tools += subject.takes_tools
        wrong += "H001" in codes
    print(f"{len(sources)} templates, {tools} take tools, {wrong} fail with OpenAI's arguments: {sorted(told.items())}")
    assert sum(map(is_chat_template, sources.values())) >= 0.98 * len(sources)
    assert wrong >= 30
    assert told["H011"] == 0


def test_our_templates_are_no_chat_templates() -> None:
    for path in (Path(__file__).parents[3] / "templates").rglob("*.jinja"):
        assert not is_chat_template(path.read_text("utf-8"))


def _gguf(source: str) -> bytes:
    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value.encode())) + value.encode()

    tokens = struct.pack("<IIQ", 9, 8, 2) + text("a") + text("b")
    numbers = struct.pack("<IIQ", 9, 4, 3) + struct.pack("<3I", 1, 2, 3)
    keys = [
        text("general.name") + struct.pack("<I", 8) + text("tiny"),
        text("tokenizer.ggml.tokens") + tokens,
        text("tokenizer.ggml.token_type") + numbers,
        text("general.flag") + struct.pack("<I?", 7, True),
        text("tokenizer.chat_template") + struct.pack("<I", 8) + text(source),
    ]
    return b"GGUF" + struct.pack("<IQQ", 3, 0, len(keys)) + b"".join(keys)


def test_templates_of_files(tmp_path: Path) -> None:
    bad = RULES["H004"].bad
    (tmp_path / "a.jinja").write_text(bad)
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"chat_template": bad, "eos_token": {"content": "#"}}))
    (tmp_path / "m.gguf").write_bytes(_gguf(bad))
    (tmp_path / "other.json").write_text("{}")
    found = list(check_paths([tmp_path], select=["H004"]))
    assert sorted(Path(one.location.file).name for one in found) == ["a.jinja", "m.gguf", "tokenizer_config.json"]
    (tmp_path / "named").mkdir()
    named = [{"name": "default", "template": bad}, {"name": "tool", "template": RULES["H004"].good}]
    (tmp_path / "named/tokenizer_config.json").write_text(json.dumps({"chat_template": named}))
    found = list(check_paths([tmp_path / "named"], select=["H004"]))
    assert [one.location.file[-8:] for one in found] == ["#default"]


def test_a_damaged_file_is_a_finding_of_its_own(tmp_path: Path) -> None:
    whole = _gguf("{{ messages[0] }}")
    (tmp_path / "b.jinja").write_text("{{ x | uper }}")
    for size in range(4, len(whole) - 1, 7):
        (tmp_path / "m.gguf").write_bytes(whole[:size])
        with pytest.raises(FormatError):
            chat_templates_of(tmp_path / "m.gguf")
        assert {one.code for one in check_paths([tmp_path])} == {"H000", "T002"}
    for text in ("[]", "{", "null", '{"chat_template": 5}', '{"chat_template": [5, {"name": "a"}]}', "\xff"):
        (tmp_path / "tokenizer_config.json").write_bytes(text.encode("latin-1"))
        assert {one.code for one in check_paths([tmp_path])} == {"H000", "T002"}


DEEP = '{"a":' * 100_000 + "1" + "}" * 100_000


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (DEEP, "nested too deeply"),
        ('{"chat_template": ' + "[" * 90_000 + "]" * 90_000 + "}", "nested too deeply"),
        ("[]", "an array, not an object"),
        ('{"chat_template": {"default": "x"}}', "chat_template is an object, not a text"),
        ('{"chat_template": 5}', "chat_template is a number, not a text"),
        (
            '{"chat_template": [{"name": "a", "template": 1}, {"name": "b", "template": "{{ messages[0].content }}"}]}',
            "a number",
        ),
        ("{", "not JSON"),
    ],
)
def test_a_wrong_configuration_is_reported(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/tokenizer_config.json").write_text(text)
    (tmp_path / "b.jinja").write_text("{{ x | uper }}")
    found = list(check_paths([tmp_path], select=["H000", "T002"]))
    assert [one.code for one in found] == ["H000", "T002"]
    assert said in found[0].message
    assert found[0].hint


def test_wrong_values_in_gguf_are_reported(tmp_path: Path) -> None:
    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value)) + value.encode()

    def file(value: bytes) -> bytes:
        return b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("tokenizer.chat_template") + value

    nested = file(struct.pack("<I", 9) + struct.pack("<IQ", 9, 1) * 100_000 + struct.pack("<IQB", 0, 1, 1))
    number, listed = file(struct.pack("<II", 4, 7)), file(struct.pack("<IIQI", 9, 4, 1, 7))
    for data, said in ((nested, "cut or damaged"), (number, "a number, not a text"), (listed, "a number, not a text")):
        (tmp_path / "m.gguf").write_bytes(data)
        found = list(check_paths([tmp_path], select=["H"]))
        assert [one.code for one in found] == ["H000"]
        assert said in found[0].message


def test_what_cannot_be_read_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "a.jinja").write_text("{{ x | uper }}")
    (tmp_path / "deep.jinja").write_text("{% if x %}" * 3_000 + "{% endif %}" * 3_000)
    (tmp_path / "long.jinja").write_text("{{ " + "(" * 20_000 + "x" + ")" * 20_000 + " }}")
    (tmp_path / "loop.jinja").symlink_to(tmp_path / "loop.jinja")
    found = {Path(one.location.file).name: one.code for one in check_paths([tmp_path])}
    assert {"a.jinja": "T002", "deep.jinja": "T001", "long.jinja": "T001"}.items() <= found.items()
    with pytest.raises(FileNotFoundError):
        list(check_paths([tmp_path / "nope.jinja"]))
