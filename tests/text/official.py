"""How many texts of models' own chat templates each text format writes byte for byte.

A pair is a part of a template's name and the format for its model. Contexts with settings that a format has no
parameter for (an effort, a date) are left out. What is not the same is ``told`` where the writer reports a
loss, and listed by its context where it does not. ``official.json`` holds the figures; the docs show them.
"""

import json
from pathlib import Path

from diptych.conversion.registry import get
from diptych.loss import Severity
from diptych.text.registry import grammars
from diptych.text.writing import write_text

RECORD = Path(__file__).parent / "official.json"
PAIRS = (
    ("Apertus-8B", "apertus"), ("unsloth-Apriel", "apriel"), ("unsloth-chatml", "chatml"), ("swift-qwen3_coder", "qwen3-coder"),
    ("xinference-Qwen3-Coder", "qwen3-coder"),
    ("unsloth-qwen3", "qwen3"), ("trl-template", "qwen3"), ("Baichuan-M2", "qwen3"), ("Qwen3-Thinking-1b", "qwen3-thinking"),
    ("Qwen3-VL-Thinking", "qwen3-thinking"), ("qwen3_6_training", "qwen3.5"),
    ("NVIDIA-Nemotron-3-Nano", "nemotron3"), ("nemotron_3_super", "nemotron3"), ("Yi-1.5", "yi"), ("olmo_thinker_no_think", "olmo3"),
    ("HuggingFaceTB-SmolLM3-3B-3", "smollm3"), ("command-r-plus", "command-r"), ("axolotl-cohere", "command-r"),
    ("trl-cohere", "command-r"), ("command-r7b-12-2024-tool_use-2025", "command-r7b"), ("DeepSeek-V3.1", "deepseek-v3.1-empty"),
    ("deepseek-r1-0528-805", "deepseek-v3"), ("axolotl-deepseek_v2", "deepseek-v2-tokens"), ("deepseek-v2.5", "deepseek-v2-tokens"),
    ("Ernie4.5", "ernie-4.5"), ("vllm-template_falcon", "falcon-chat"), ("gemma-2-9b", "gemma"), ("gemma3n", "gemma"),
    ("google-gemma-4", "gemma4"), ("unsloth-gemma4", "gemma4-thinking"), ("ChatGLM4", "glm4"), ("glm-edge-chat", "glm4"),
    ("glm4-chat-1m", "glm4-bare"), ("glm4-chat-911", "glm4-bare"), ("GLMEdge", "glm4-bare"), ("glm4moe", "glm4.5"),
    ("glm-5.1", "glm5"), ("granite-4.0", "granite"), ("granite-4.1", "granite"), ("unsloth-gptoss", "harmony"),
    ("axolotl-jamba", "jamba"), ("Kimi-K2-Thinking", "kimi-k2-thinking"), ("moonshotai-Kimi-K2", "kimi-k2"), ("Kimi-K3", "kimi-k3"),
    ("ling-3.0", "ling"), ("FusionNet", "llama2-bare"), ("Meta-Llama-3-8B", "llama3"), ("DiscoLeo", "llama3"),
    ("unsloth-llama31", "llama3.1"), ("llama3.2_json", "llama3.1"), ("axolotl-llama4", "llama4"), ("axolotl-metharme", "metharme"),
    ("MiniMax-M2.5", "minimax-m2"), ("mistral_v1-70c", "mistral-v1"), ("mistral-instruct-v0.3", "mistral-v3"),
    ("mistralai-Mistral-Nemo", "mistral-tekken"), ("pixtral", "mistral-tekken"), ("swift-mistral7b", "mistral-tekken-spaced"),
    ("Mistral-Large-Instruct-2411", "mistral-v7"), ("muse_glimmer", "muse"), ("OLMoE", "olmo"), ("phi-3-mini", "phi3"),
    ("Phi-3.1-mini", "phi3"), ("SOLAR-10.7B", "solar"), ("Spark2.5", "spark"), ("eachadea-vicuna", "vicuna-lines"),
    ("axolotl-llava-2", "vicuna"), ("open-instruct-zephyr", "zephyr"),
)  # fmt: skip
_TOKENS = {"bos_token", "eos_token", "unk_token", "pad_token"}
_FIELDS = {"role", "content", "tool_calls", "tool_call_id", "name"}


def kind_of(context):
    """Return ``plain`` or ``tools``, None for a context that holds more than a format has a place for."""
    more = ("documents", "return_assistant_spans", "continue_final_message")
    if any(context.get(key) for key in more) or set(context.get("template_kwargs") or {}) - _TOKENS:
        return None
    messages = context["messages"]
    roles = ("system", "user", "assistant", "tool")
    if not all(set(m) <= _FIELDS and m["role"] in roles and isinstance(m.get("content", ""), str | None) for m in messages):
        return None
    return "tools" if context.get("tools") or any(m.get("tool_calls") for m in messages) else "plain"


def outcome(row, grammar):
    """Return ``same``, ``told``, or the name of the context whose text is another one."""
    context = row["context"]
    body = {"messages": context["messages"]} | ({"tools": context["tools"]} if context.get("tools") else {})
    written = write_text(get("chat").read(body)[0], grammar, add_generation_prompt=bool(context.get("add_generation_prompt")))
    bos = (context.get("template_kwargs") or {}).get("bos_token", "")
    if row["expected"] in (written.text, bos + written.text, grammar.bos + written.text):
        return "same"
    return "told" if any(loss.severity > Severity.EXACT for loss in written.losses) else context["context_id"]


def measured(rows):
    """Return format, template and figures of each pair."""
    rows = [row for row in rows if isinstance(row["expected"], str)]
    return [{"format": name, "template": part} | figures(rows, part, grammars()[name]) for part, name in PAIRS]


def figures(rows, part, grammar):
    found = {}
    for row in rows:
        kind = kind_of(row["context"]) if part in row["template_id"] else None
        if kind is not None:
            counts = found.setdefault(kind, {"same": 0, "told": 0, "of": 0, "other": []})
            came = outcome(row, grammar)
            if came in ("same", "told"):
                counts[came] += 1
            else:
                counts["other"] = sorted({*counts["other"], came})
            counts["of"] += 1
    return found


def recorded():
    """Return what ``official.json`` holds."""
    return json.loads(RECORD.read_text("utf-8"))


def share(figure):
    """Return figures as the docs and the test show them."""
    if not figure:
        return "none"
    return f"{figure['same']} of {figure['of']}" + (f", {figure['told']} reported" if figure["told"] else "")


def is_exact(figure):
    """Return whether every text without a reported loss is the same, and most are."""
    return not figure["other"] and figure["same"] > figure["told"]
