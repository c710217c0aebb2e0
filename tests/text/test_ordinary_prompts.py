"""Ordinary prompts with markup or code in them stay one message, lossless: nobody speaks in them."""

import random

import pytest

import diptych

#: Kinds of prompts that people write; a hole is filled with a word, a number or a line.
KINDS = {
    "html": "<div class=\"{w}\"><p>{l}</p><ul><li>{w}</li><li>{n}</li></ul></div>\nMake this page shorter.",
    "html with struck text": "<p>Old: <s>{n}</s> New: {n}</p>\nWhat does the reader see?",
    "xml": "<order id=\"{n}\">\n  <item>{w}</item>\n  <note>{l}</note>\n</order>\nAdd a second item.",
    "xml with role names": "<conversation>\n<user>{w}</user>\n<assistant>{l}</assistant>\n</conversation>\nSummarise it.",
    "instructions in tags": "<instructions>\n{l}\n</instructions>\n<document>\n{l}\n{l}\n</document>\n<question>{l}</question>",
    "a system tag": "<system>\nBe {w}.\n</system>\n<context>{l}</context>",
    "namespaces": "<x:{w} xmlns:x=\"urn:{w}\"><x:b n=\"{n}\"/></x:{w}>\nIs it valid?",
    "markdown headings": "# {w}\n\n## Goal\n\n{l}\n\n### Steps\n\n1. {l}\n2. {l}\n\nContinue the document.",
    "markdown table": "| {w} | {w} |\n|---|---|\n| {n} | {n} |\n| {n} | {n} |\n\nSort the rows.",
    "markdown emphasis": "**{w}** and *{w}* and `{w}`.\n\n> {l}\n\n- [ ] {w}\n- [x] {w}\n\nRewrite it.",
    "a fenced block": "Explain:\n\n```python\ndef {w}(x):\n    return x[{n}] | {n} if x < {n} else None\n```\n",
    "links": "See [{w}](https://example.invalid/{w}|{n}) and <https://example.invalid/{w}>; {l}",
    "footnotes": "{l}[^1] {l} [{n}]\n\n[^1]: {l}\n",
    "latex": "\\begin{{equation}} p(x|y) = \\frac{{{n}}}{{{n}}} \\end{{equation}}\nProve that $|x| < {n}$. {l}",
    "latex document": "\\section{{{w}}} {l} \\textbf{{{w}}} \\cite{{{w}{n}}} $\\langle a | b \\rangle$",
    "bbcode": "[b]{w}[/b] [i]{l}[/i] [quote={w}]{l}[/quote] [url=https://example.invalid]{w}[/url]",
    "c++": "std::vector<std::pair<{w}, int>> v; if (a << {n} > b && c | d) std::cout << v[{n}];\nWhat is wrong here?",
    "f#": "let xs = [|{n}; {n}|]\nxs |> Array.map ({w}) <| {n}\nWhat type is it?",
    "haskell": "f <|> g <$> [x | x <- xs, x < {n}]\n-- {l}\nTranslate to Python.",
    "sql": "SELECT {w}, COUNT(*) FROM {w} WHERE n <> {n} GROUP BY {w};\n-- {l}",
    "shell": "cat <<EOF | grep '{w}' > out.txt\n{l}\nEOF\n# what does it do?",
    "json": "{{\"{w}\": [{n}, {n}], \"role\": \"user\", \"content\": \"{l}\"}}\nAdd a field.",
    "yaml": "name: {w}\nsteps:\n  - run: {w}\n  - uses: {w}@v{n}\non: [push]\n\nWhy does it fail?",
    "ini and logs": "[{w}]\nkey={n}\n[INFO] {l}\n[ERROR] {l}\nWhat happened?",
    "a diff": "--- a/{w}.py\n+++ b/{w}.py\n@@ -{n} +{n} @@\n-{l}\n+{l}\n\nReview it.",
    "regular expressions": "Does (?P<{w}>a|b)<{w}>|[^|]+ match \"{l}\"?",
    "placeholders": "Dear [NAME], your <ORDER_ID> of {n} is {{{w}}}. {l}",
    "templates of Jinja": "{{% for x in {w} %}}{{{{ x|upper }}}}{{% endfor %}}\nWhat does it print?",
    "css": "a > b::before {{ content: \"<\"; width: {n}px }} /* {l} */",
    "an e-mail": "From: {w}@example.invalid\nSubject: {l}\n\nHello {w},\n{l}\n\nWrite the reply.",
    "emoticons and arrows": "{w} <3 {w} -> {w} <- {n} >|< <_< |{w}| {l}",
    "thinking tags": "Put your thoughts in <think></think> and the answer in <answer></answer>. {l}",
}  # fmt: skip
WORDS = ["alpha", "Bird", "city", "données", "Émile", "f", "graph", "日本", "kiwi", "List", "mode", "Null", "Öl", "x1"]
PER_KIND = 16


def prompts():
    """Return the prompts by kind, the same in every run."""
    chance = random.Random(14)

    def fill(kind):
        text = kind
        while any(hole in text for hole in ("{w}", "{n}", "{l}")):
            line = " ".join(chance.choices(WORDS, k=chance.randint(2, 7))).capitalize() + "."
            text = text.replace("{w}", chance.choice(WORDS), 1).replace("{n}", str(chance.randint(0, 99)), 1)
            text = text.replace("{l}", line, 1)
        return text.replace("{{", "{").replace("}}", "}")

    return {name: [fill(kind) for _ in range(PER_KIND)] for name, kind in KINDS.items()}


PROMPTS = prompts()


def is_plain(text):
    reading = diptych.to_messages(text)
    return (reading.format, reading.verdict) == ("plain", "lossless")


def test_there_are_enough_of_them():
    assert len(KINDS) >= 25
    assert sum(map(len, PROMPTS.values())) >= 500


def test_nearly_all_stay_plain_and_lossless():
    wrong = {name: sum(not is_plain(text) for text in texts) for name, texts in PROMPTS.items()}
    share = 1 - sum(wrong.values()) / sum(map(len, PROMPTS.values()))
    print(f"{share:.1%} of {sum(map(len, PROMPTS.values()))} prompts stay plain, lossless")
    assert share >= 0.98, {name: count for name, count in wrong.items() if count}


@pytest.mark.parametrize("name", KINDS)
def test_inside_a_chat_they_are_contents(name):
    for text in PROMPTS[name]:
        chat = f"<|im_start|>user\n{text}<|im_end|>\n<|im_start|>assistant\n"
        reading = diptych.to_messages(chat)
        assert (reading.verdict, reading.messages) == ("lossless", [{"role": "user", "content": text}])
