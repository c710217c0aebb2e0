"""What each format writes against the models' own templates: the figures that the docs show, measured again."""

import gzip
import json

import pytest
from tests.text import official

#: Formats that write every plain context, or every context with tools, as a template does, or report a loss.
EXACT = {
    (row["format"], kind)
    for row in official.recorded()
    for kind in ("plain", "tools")
    if kind in row and official.is_exact(row[kind])
}


def test_the_figures_of_the_docs_are_measured(shared, request):
    file = shared / "corpora" / "chat_templates.jsonl.gz"
    if not file.is_file():
        pytest.skip("no chat templates in the folder of samples")
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        found = official.measured([json.loads(line) for line in lines])
    for row in sorted(found, key=lambda row: row["format"]):
        print(f"{row['format']:<24}{row['template']:<36}plain {official.share(row.get('plain')):<24}", end="")
        print(f"tools {official.share(row.get('tools'))}")
    if request.config.getoption("--accept"):
        official.RECORD.write_text("[\n" + ",\n".join(map(json.dumps, found)) + "\n]\n", "utf-8")
    assert found == official.recorded()
    assert all(row.get("plain", row.get("tools")) for row in found), "a template that is not there"


TOOLS = ("qwen3", "qwen3-thinking", "qwen3-coder", "qwen3.5", "nemotron3", "granite", "kimi-k2-thinking", "llama4", "glm5")
TOOLS += ("gemma4", "deepseek-v3", "deepseek-v3.1-empty")


def test_families_that_were_the_same_stay_so():
    """A pair that stands here once may not get worse."""
    plain = {"command-r", "kimi-k2-thinking", "llama3", "gemma", "mistral-v1", "olmo", "zephyr", "qwen3", "qwen3-thinking"}
    plain |= {"llama4", "mistral-tekken", "gemma4", "ernie-4.5", "deepseek-v2-tokens", "mistral-v7", "kimi-k3"}
    assert {(name, "plain") for name in plain} <= EXACT
    assert {(name, "tools") for name in TOOLS} <= EXACT
