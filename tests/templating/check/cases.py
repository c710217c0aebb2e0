"""For every rule texts that it finds, with line and column, and texts that it does not."""

from __future__ import annotations

CHAT = "{% system %}Be brief.{% endsystem %}{% user %}Hi{% enduser %}"
STABLE = "A rule that never changes and that every request repeats. " * 120
STRICT = "---\nresponse_format:\n  name: a\n  strict: true\n  schema: "


def inputs(declared: str, body: str) -> str:
    return f"---\ninputs:\n{declared}\n---\n{body}"


FIRES: dict[str, list[tuple[str, int, int]]] = {
    "T001": [
        ("a\n{% if x %}yes", 2, 4),
        ("---\nname: [\n---\nx", 2, 8),
        ("{% user %}a{% endsystem %}", 1, 15),
        ("{{ a b }}", 1, 6),
        ("---\nmodle: x\n---\na", 2, 1),
        ("---\nmodel: gpt-4o\nformat: nope\n---\nHi", 3, 1),
        ("---\n{format: anthropic}\n---\nHi", 2, 2),
    ],
    "T002": [
        ("a\n  {{ x | uper }}", 2, 10),
        ("{% if x is strin %}a{% endif %}", 1, 12),
        ("{% filter lowr %}a{% endfilter %}", 1, 11),
        ("{{ x | map('uppr') | list }}\n{% if x %}{{ x | tojsn }}{% endif %}", 2, 18),
        ("{{ x | map('uppr') | list }}", 1, 13),
        ("{{ x | selectattr('a', 'equls', 3) | list }}", 1, 25),
    ],
    "T003": [
        ("a\n{% include 'nope' %}", 2, 13),
        ('{% extends "base" %}', 1, 13),
        ("{% from 'macros' import m %}", 1, 10),
        ("{% import 'm' as m %}{{ m }}", 1, 12),
        ("{% include ['a', 'b'] %}", 1, 14),
    ],
    "T004": [("caf\udce9", 1, 4), ("a\nb\udcff", 2, 2), ("\udc80", 1, 1)],
    "T005": [
        ('Answer as {{"a": 1}}', 1, 11),
        ('Return {"a": {{"b": 1}}}', 1, 14),
        ('a\n{{"x": {"y": 2}}}', 2, 1),
        ('{\n  "outer": {{\n "a": 1 }}\n}', 2, 12),
        ('{"name": {{"first": "str", "last"}}}', 1, 10),
    ],
    "T006": [
        (inputs("  name: string", "Hi {name}, {{ name }}"), 5, 4),
        (inputs("  name: string", "{{ name }}\n${name}"), 6, 1),
        (inputs("  name: string", "{{ name }} %(name)s"), 5, 12),
        (inputs("  name: string", "{{ name }} <<name>>"), 5, 12),
        (inputs("  name: string", "{{ name }} {name!r:>10}"), 5, 12),
    ],
    "T009": [
        ('{% message role="usr" %}a{% endmessage %}', 1, 18),
        ("{% user %}a{% enduser %}\n{% assistant prefill='false' %}b{% endassistant %}", 2, 23),
        ("{% history h roles=['usr'] %}", 1, 20),
        ("{% user prefill=true %}a{% enduser %}", 1, 17),
        ("{% user cache_control='2h' %}a{% enduser %}", 1, 24),
        ("{% user priority='high' %}a{% enduser %}", 1, 19),
        ("{% assistant %}{% tool_call 'f' id='c' arguments='x' %}{% endassistant %}", 1, 51),
    ],
    "T101": [
        (inputs("  text: string", "{{ text }}\n{{ langauge }}"), 6, 4),
        (inputs("  text: string", "{{ text }}{% if tone %}x{% endif %}"), 5, 17),
        (inputs("  text: string", "{% for a in items %}{{ text }}{% endfor %}"), 5, 13),
        (inputs("  text: string", "{% for a in text %}{{ a }}{% endfor %}{{ a }}"), 5, 42),
    ],
    "T102": [
        (inputs("  text: string\n  tone: string", "{{ text }}"), 4, 3),
        (inputs("  tone: string", "Hi"), 3, 3),
        ("---\ninputs: [tone]\n---\nHi", 2, 10),
        (inputs("  a: string", "{% set a = 1 %}{{ a }}"), 3, 3),
    ],
    "T103": [
        (inputs("  n: {type: integer, default: abc}", "{{ n }}"), 3, 3),
        (inputs("  n: {type: string, enum: [a], default: z}", "{{ n }}"), 3, 3),
        (inputs("  n: {type: array, items: {type: integer}, default: [x]}", "{{ n }}"), 3, 3),
    ],
    "T104": [
        (inputs("  tone: string?", "{{ tone | upper }}"), 5, 4),
        (inputs("  tone: string?", "{{ 'a ' ~ tone }}"), 5, 11),
        (inputs("  tone: {type: string, required: false}", "x\n{{ tone | trim | title }}"), 6, 4),
    ],
    "T105": [
        ("---\ninputs: {n: integer}\nsamples:\n  - {n: many}\n---\n{{ n }}", 4, 6),
        ("---\ninputs: {n: integer}\nsamples:\n  - n: 1\n  - n: many\n---\n{{ n | uper }}", 5, 5),
        ("---\ninputs: {n: integer}\nsamples:\n  - {}\n---\n{{ n }}", 4, 5),
        ("---\ninputs: {n: integer}\nsamples:\n  short: {n: 1, m: 2}\n---\n{{ n }}", 4, 17),
    ],
    "T201": [
        ("---\nparams: {temprature: 0}\n---\nHi", 2, 10),
        ("---\nparams:\n  seed: 1\n  temperature: 9\n---\nHi", 4, 3),
        ("---\nmodel: o3\nparams:\n  temperature: 0\n---\nHi", 4, 3),
    ],
    "T202": [
        ("---\nresponse_format: json_object\n---\nList colours.", 2, 1),
        ("---\nresponse_format: json_object\n---\n{% user %}Hi{% enduser %}", 2, 1),
        ("---\nmodel: gpt-4o\nresponse_format: json_object\n---\n{{ x }}", 3, 1),
    ],
    "T203": [
        ("---\nmodel: text-davinci-003\n---\nHi", 2, 1),
        ("---\nname: a\nmodel: gpt-4o-mini\n---\nHi", 3, 1),
        ("---\nmodel: gpt-3.5-turbo-instruct\n---\nHi", 2, 1),
    ],
    "T204": [
        (STRICT + "{type: object, properties: {x: {type: string}}}\n---\nJSON", 5, 3),
        (STRICT + "{type: object, additionalProperties: false, properties: {x: {type: string}}}\n---\nJSON", 5, 3),
        (
            STRICT
            + "{type: object, additionalProperties: false, required: [x], properties: {x: {allOf: []}}}\n---\nJSON",
            5,
            87,
        ),
        ("---\ntools:\n  - {name: f, strict: true, parameters: {type: object, properties: {}}}\n---\nHi", 3, 29),
    ],
    "T301": [
        ("---\ntrim: blocks\n---\n{% block a %}Be kind.{% endblock %}\n- no lies", 4, 22),
        ("---\ntrim: blocks\n---\nItems:\n{%- for i in x %}\n- {{ i }}\n{%- endfor %}\nEnd", 5, 1),
        ("---\ntrim: blocks\n---\nHi {% if x %}Ann{% endif %}\nBye", 4, 17),
    ],
    "T401": [
        (inputs("  page: string", "{% system %}Answer from {{ page }}{% endsystem %}{% user %}Hi{% enduser %}"), 5, 28),
        ("{% developer %}\n{{ rules }}\n{% enddeveloper %}{% user %}Hi{% enduser %}", 2, 4),
        ('{% message role="system" %}{% for d in docs %}{{ docs[0] }}{% endfor %}{% endmessage %}', 1, 50),
        ("{% if x %}{% system %}{{ a | upper }}{% endsystem %}{% endif %}", 1, 26),
    ],
    "T402": [
        ("{% history past %}{% user %}Hi{% enduser %}", 1, 4),
        (CHAT + "\n{% history messages %}", 2, 4),
        ("{% for h in all %}{% history h %}{% endfor %}", 1, 22),
    ],
    "T403": [
        ("{% user %}a\n<|im_start|>system{% enduser %}", 2, 1),
        ("{% user %}[INST] x [/INST]{% enduser %}", 1, 11),
        ("{% system %}<|eot_id|>{% endsystem %}", 1, 13),
    ],
    "T404": [
        ("{% if x == 1 %}a{% elif x == 1 %}b{% endif %}", 1, 17),
        ("{% if false %}a{% endif %}", 1, 1),
        ("{% if x %}a{% elif true %}b{% endif %}", 1, 12),
        ("{% if x %}a{% elif y and x %}b{% endif %}", 1, 12),
        ("{% if not true %}a{% endif %}", 1, 1),
        ("a {{ 'a' if true else x }}", 1, 3),
    ],
    "T503": [
        ("{{ question }}\n" + STABLE, 1, 4),
        ("Rules for\n{{ name }}:\n" + STABLE, 2, 4),
        ("{% system %}{{ day }}\n" + STABLE + "{% endsystem %}{% user %}Hi{% enduser %}", 1, 16),
    ],
    "UP001": [
        ("{% if x %}yes{% endif %}\nno", 1, 1),
        ("a\n{%- for i in x %}\n{{ i }}\n{%- endfor %}", 1, 1),
        ("---\nname: a\n---\n{% block b %}x{% endblock %}\ny", 1, 1),
    ],
    "UP002": [
        ("{{ x | tojson }}", 1, 8),
        ("a\n{{ x|tojson }}", 2, 6),
        ("{% set y = x|tojson %}{{ y }}", 1, 14),
    ],
}

SILENT: dict[str, list[str]] = {
    "T001": ["", "{{ x }}", CHAT],
    "T002": ["{{ x | upper }}", "{% if x is string %}a{% endif %}", "{% if 'f' is filter %}{{ x | f }}{% endif %}"],
    "T003": ["{% include 'a' ignore missing %}", "{% include name %}", "{% include ['a', 'known'] %}"],
    "T004": ["café", "\ufeffa", "日本語 \U0001f600"],
    "T005": [
        '{% raw %}{"a": {"b": 1}}{% endraw %}',
        'Answer as {"a": 1}',
        "{{ {'a': 1} | tojson }}",
        "{{ x }}",
        "{{ 'abc }}",
        '{% raw %}{{"a": 1}}{% endraw %}{{ x',
    ],
    "T006": [
        inputs("  name: string", "Hi {{ name }}"),
        inputs("  name: string", "{{ name }} {other} {}"),
        "Hi {name} {{ name }}",
        inputs("  name: string", "{% raw %}{{name}}{% endraw %} {{ name }}"),
    ],
    "T009": [
        "{% message role='a' * 10 ** 10 %}a{% endmessage %}",
        "{% for m in ms %}{% message role=m.role name='a' %}a{% endmessage %}{% endfor %}",
        "{% user priority=1 cache_control='5m' %}{% image 'nope.png' %}{% enduser %}{% assistant prefill=true %}b{% endassistant %}",
        "{% history h roles=['user', 'tool'] %}",
        "{% assistant prefill=x %}{% tool_call n id=i arguments={'a': x} %}{% endassistant %}",
    ],
    "T101": [
        inputs("  text: string", "{{ text }}"),
        inputs("  text: string", "{% for a in text %}{{ a }}{{ loop.index }}{% endfor %}"),
        inputs("  text: string", "{% set b = text %}{{ b }}{% macro m(c) %}{{ c }}{% endmacro %}{{ m(1) }}"),
        "{{ anything }}",
    ],
    "T102": [
        inputs("  text: string", "{{ text }}"),
        inputs("  text: string", "{% include text %}"),
        inputs("  text: string", "{% if text %}x{% endif %}"),
        inputs("  past: messages", "{% history past roles=['user'] %}"),
    ],
    "T103": [
        inputs("  n: {type: integer, default: 3}", "{{ n }}"),
        inputs("  n: {type: string, enum: [a], default: a}", "{{ n }}"),
        inputs("  n: string?", "{{ n }}"),
    ],
    "T104": [
        inputs("  tone: string?", "{% if tone %}{{ tone | upper }}{% endif %}"),
        inputs("  tone: string?", "{{ tone }}"),
        inputs("  tone: string?", "{{ tone | default('x', true) | upper }}"),
        inputs("  tone: string?", "{{ 'a ' ~ (tone or '') }}"),
        inputs("  tone: {type: string, default: kind}", "{{ tone | upper }}"),
    ],
    "T105": [
        "---\ninputs: {n: integer}\nsamples:\n  - {n: 3}\n---\n{{ n }}",
        "---\nsamples: {a: {x: 1}}\n---\n{{ x }}",
        "---\ninputs: {n: integer}\n---\n{{ n }}",
    ],
    "T201": [
        "---\nparams: {temperature: 0, seed: 7, max_tokens: 200}\n---\nHi",
        "---\nparams: {echo: true}\n---\nHi",
        "---\nparams: {extra_body: {top_k: 4}}\n---\nHi",
        "---\nparams: {stop: [a]}\n---\nHi",
    ],
    "T202": [
        "---\nresponse_format: json_object\n---\nReply in json.",
        "---\nresponse_format: text\n---\nHi",
        "---\nresponse_format: json_object\n---\n{% include part %}",
    ],
    "T203": ["---\nmodel: gpt-5.4-mini\n---\nHi", "---\nmodel: my-llama\n---\nHi", "Hi"],
    "T204": [
        STRICT
        + "{type: object, additionalProperties: false, required: [x], properties: {x: {type: string}}}\n---\nJSON",
        "---\nresponse_format: {name: a, schema: {type: object}}\n---\nJSON",
        "---\nresponse_format: json_object\n---\nJSON",
    ],
    "T301": [
        "{% block a %}Be kind.{% endblock %}\n- no lies",
        "---\ntrim: blocks\n---\n{% if x %}\na\n{% endif %}\nb",
        "---\ntrim: blocks\n---\n{% if x %}a{% endif +%}\nb",
        "---\ntrim: blocks\n---\n{% macro m() %}a{% endmacro %}\nb",
        "---\ntrim: blocks\n---\n{% user %}a{% enduser %}\n{% user %}b{% enduser %}",
    ],
    "T401": [
        CHAT,
        "{% system %}Be brief.{% endsystem %}{% user %}{{ page }}{% enduser %}",
        inputs("  tone: {type: string, enum: [kind, curt]}", "{% system %}Be {{ tone }}.{% endsystem %}"),
        inputs("  n: integer", "{% system %}Use {{ n }} words.{% endsystem %}"),
        "{% set a = 'kind' %}{% system %}Be {{ a }}.{% endsystem %}",
    ],
    "T402": [
        "{% history past roles=['user', 'assistant'] %}",
        CHAT,
        "{{ history }}",
    ],
    "T403": [CHAT, "<|im_start|>user\n{{ x }}<|im_end|>", "{% user %}a < b | c > d{% enduser %}"],
    "T404": [
        "{% if 10 ** 10 ** 10 %}a{% endif %}",
        "{% if x == 1 %}a{% elif x == 2 %}b{% endif %}",
        "{% if x %}a{% else %}b{% endif %}",
        "{% if x %}{% if x %}a{% endif %}{% endif %}",
    ],
    "T503": [STABLE + "\n{{ question }}", "{{ question }}", STABLE, STABLE + "{{ x }}" + STABLE],
    "UP001": [
        "{% if x %}\nyes\n{% endif %}\nno",
        "---\ntrim: blocks\n---\n{% if x %}yes{% endif %}\nno",
        CHAT,
    ],
    "UP002": ["{{ x | tojson(html=true) }}", "{{ tojson }}", "a tojson"],
}


def over(body: str, after: str = "") -> str:
    return "{% for m in messages %}" + body + "{% endfor %}" + after


TOOLS = "{% if tools %}{{ tools | tojson }}{% endif %}"
TEXT = over("<{{ m.role }}>{{ m.content }}")
PROMPT = "{% if add_generation_prompt %}<assistant>{% endif %}"
CALLS = "{{ m.content }}{% for c in m.tool_calls or [] %}"
FULL = (
    "{{ bos_token }}{% for m in messages %}<{{ m.role }}>"
    "{% if m.reasoning_content %}<think>{{ m.reasoning_content }}</think>{% endif %}"
    "{% if m.role == 'assistant' %}{% generation %}{% if m.content is string %}{{ m.content }}{% else %}"
    "{% for p in m.content %}{{ p.text }}{% endfor %}{% endif %}{% endgeneration %}{% elif m.content is string %}"
    "{{ m.content }}{% else %}{% for p in m.content %}{{ p.text }}{% endfor %}{% endif %}"
    "{% for c in m.tool_calls or [] %}{{ c.function.name }}{% if c.function.arguments is string %}"
    "{{ c.function.arguments }}{% else %}{{ c.function.arguments | tojson }}{% endif %}{% endfor %}</>"
    "{% endfor %}{% if tools %}{{ tools | tojson }}{% endif %}{% if add_generation_prompt %}<assistant>{% endif %}"
)

#: The same for the properties of chat templates.
CHAT_FIRES: dict[str, list[str]] = {
    "H000": [
        "{% for m in messages %}{{ m.content }}",
        over("{{ raise_exception('no') }}"),
        over("{{ m.content | nope }}"),
    ],
    "H001": [
        over(CALLS + "{{ c.function.arguments | tojson }}{% endfor %}", TOOLS),
        over(CALLS + "{% for k, v in c.function.arguments.items() %}{{ k }}{{ v }}{% endfor %}{% endfor %}", TOOLS),
        over(
            CALLS
            + "{% if c.function.arguments is mapping %}{{ c.function.arguments | tojson }}{% endif %}{% endfor %}",
            TOOLS,
        ),
    ],
    "H002": [TEXT, over("{{ 'U: ' + m.content }}"), over("{% if m.content is string %}{{ m.content }}{% endif %}")],
    "H003": [
        over("{{ m.content | trim }}"),
        over("{{ m.content.strip() }}"),
        over("{% if m.role == 'assistant' %}{{ m.content | trim }}{% else %}{{ m.content }}{% endif %}"),
    ],
    "H004": [TEXT, over("{{ m.content }}", "<assistant>"), over("[{{ m.role }}] {{ m.content }}")],
    "H005": [
        TEXT + "{% if add_generation_prompt %}<bot>{% endif %}",
        TEXT + "{% if add_generation_prompt %}<assistant> {% endif %}",
        TEXT + "{% if add_generation_prompt %}<assistant><think>{% endif %}",
    ],
    "H006": [
        over("{% if loop.last %}[{{ m.content }}]{% else %}({{ m.content }}){% endif %}"),
        TEXT + "<end>",
        over("{{ m.content }}{% if m == messages[-1] %}!{% endif %}"),
    ],
    "H007": [
        over(
            "{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('alternate') }}{% endif %}{{ m.content }}"
        ),
        "{% set ns = namespace(last='') %}"
        + over(
            "{% if m.role == ns.last %}{{ raise_exception('twice') }}{% endif %}{% set ns.last = m.role %}{{ m.content }}"
        ),
        "{% if messages|length > 1 and messages[1].role == 'user' %}{{ raise_exception('no') }}{% endif %}" + TEXT,
    ],
    "H008": [
        over("{% if loop.last and m.reasoning_content %}<t>{{ m.reasoning_content }}</t>{% endif %}{{ m.content }}"),
        over("{{ m.content if loop.last else m.content.split('</think>')[-1] }}"),
        "{% set n = messages | length %}"
        + over("{% if loop.index == n %}{{ m.reasoning_content }}{% endif %}{{ m.content }}"),
    ],
    "H009": [
        over("{% if m.role != 'system' %}{{ m.content }}{% endif %}"),
        over("{% if m.role == 'system' %}{{ raise_exception('no system') }}{% endif %}{{ m.content }}"),
        over("{% if m.role in ['user', 'assistant'] %}{{ m.content }}{% endif %}"),
    ],
    "H010": [TEXT, over("{{ m.content }}"), TEXT + PROMPT],
    "H011": [
        TEXT + "{{ ''.__class__ }}",
        TEXT + "{{ messages['__class__'] }}",
        TEXT + "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
    ],
    "H012": [TEXT + "{{ persona }}", "{{ system_prompt }}" + TEXT, TEXT + "{% if thinking %}<t>{% endif %}"],
}
CHAT_SILENT: dict[str, list[str]] = {
    **{code: [FULL, TEXT, TEXT + PROMPT] for code in ("H000", "H003", "H007", "H011")},
    "H001": [FULL, TEXT, over(CALLS + "{{ c.function.arguments }}{% endfor %}", TOOLS)],
    "H002": [
        FULL,
        over(
            "{% if m.content is string %}{{ m.content }}{% else %}{% for p in m.content %}{{ p.text }}{% endfor %}{% endif %}"
        ),
        over("{{ m.content if m.content is string else m.content | map(attribute='text') | join }}"),
    ],
    "H004": [FULL, TEXT + PROMPT, TEXT + "{% if add_generation_prompt %}<bot>{% endif %}"],
    "H005": [FULL, TEXT + PROMPT, TEXT],
    "H006": [FULL, TEXT, over("{{ m.content | trim }}")],
    "H008": [FULL, TEXT, over("{% if m.reasoning_content %}{{ m.reasoning_content }}{% endif %}{{ m.content }}")],
    "H009": [
        FULL,
        TEXT,
        "{% set s = messages[0].content if messages[0].role == 'system' else '' %}"
        + over("{% if m.role != 'system' %}{{ s }}{{ m.content }}{% endif %}"),
    ],
    "H010": [
        FULL,
        over("{%- generation -%}{{ m.content }}{%- endgeneration -%}"),
        over(
            "{% if m.role == 'assistant' %}{% generation %}{{ m.content }}{% endgeneration %}{% else %}{{ m.content }}{% endif %}"
        ),
    ],
    "H012": [
        FULL,
        TEXT + "{% if persona is defined %}{{ persona }}{% endif %}{{ tone | default('') }}",
        "{% if messages %}{% set s = 'x' %}{% endif %}{{ s }}" + TEXT,
    ],
}

#: Names of files side by side, and which of them rule T007 finds.
NAMES: list[tuple[list[str], list[str]]] = [
    (["a.jinja", "a.j2"], ["a.j2", "a.jinja"]),
    (["a.jinja", "a.jinja2", "b.jinja"], ["a.jinja", "a.jinja2"]),
    (["sub/a.jinja", "sub/a.j2", "a.txt"], ["sub/a.j2", "sub/a.jinja"]),
    (["a.jinja", "b.j2"], []),
    (["a.jinja", "sub/a.j2"], []),
    (["a.jinja", "a.txt"], []),
]
