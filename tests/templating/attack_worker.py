"""Run one attack row in a process of its own (tests/forks.py): 1 GB of address space, 10 s of processor."""

import contextlib
import json
import resource
import tempfile
from pathlib import Path

import diptych
from diptych import count, to_messages
from diptych.templating.library import Library
from diptych.templating.template import Template


def run(row):
    """Return what happened."""
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
    resource.setrlimit(resource.RLIMIT_CPU, (10, 10))
    try:
        outcome = {"output": RUNNERS[row["where"]](row)}
    except diptych.DiptychError as error:
        outcome = {"error": type(error).__name__, "message": str(error)}
    return outcome | {"rss_mb": peak_kb() // 1024}


def peak_kb():
    """Return the most memory this process has held; getrusage would count what its parent held before exec."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def in_template(row):
    with tempfile.TemporaryDirectory() as folder:
        root = make_root(folder)
        (root / "attack.jinja").write_text(row["payload"], "utf-8")
        inputs = dict(row.get("context") or {})
        if inputs.pop("gen_is_generator", None):
            inputs["gen"] = (n for n in range(3))
        if "tags" in inputs:
            inputs["tags"] = {"a", "b"}
        before = repr({k: v for k, v in inputs.items() if k != "gen"})
        try:
            template = Library(root)["attack"]
            known = template.inputs
            rendered = template.render(**{k: v for k, v in inputs.items() if k in known})
            return (rendered.prompt + json.dumps(rendered.messages))[:20000]
        finally:
            assert repr({k: v for k, v in inputs.items() if k != "gen"}) == before, "inputs were changed"


def make_root(folder):
    root = Path(folder) / "root"
    (root / "sub").mkdir(parents=True)
    (Path(folder) / "secret.txt").write_text("CANARY_SECRET")
    (Path(folder) / "secret.jinja").write_text("CANARY_SECRET")
    (root / "ok.md").write_text("ok")
    (root / "b.md").write_text("{% include 'c.md' %}")
    (root / "c.md").write_text("{% include 'b.md' %}")
    (root / "linkdir").symlink_to(folder)
    (root / "link.jinja").symlink_to(Path(folder) / "secret.txt")
    return root


def in_path(row):
    with tempfile.TemporaryDirectory() as folder:
        return Library(make_root(folder))[row["payload"]].render().prompt


def in_front_matter(row):
    template = Template.from_string(f"---\n{row['payload']}\n---\nbody text\n")
    return {"meta": repr(template.metadata)[:2000], "prompt": template.render().prompt}


def in_variable(row):
    if row["kind"] == "token_count":
        return {"tokens": count(row["payload"], model="gpt-4o-mini").tokens}
    if row["kind"] == "role_value":
        template = Template.from_string("{% message role=role %}x{% endmessage %}")
        return {"messages": template.render(role=row["payload"]).messages}
    outcome = {}
    for text_format in ("transcript", "chatml"):
        template = Template.from_string(
            f"---\nformat: {text_format}\n---\n{{% system %}}You are Bot.{{% endsystem %}}"
            "{% user %}{{ user_input }}{% enduser %}"
        )
        rendered = template.render(user_input=row["payload"])
        turns = to_messages(rendered.prompt, text_format).conversation.messages
        outcome[text_format] = {
            "messages": rendered.messages,
            "roles_back": [m.role for m in turns],
            "losses": [loss.kind for loss in rendered.losses],
        }
    return outcome


RUNNERS = {"template": in_template, "path": in_path, "front_matter": in_front_matter, "variable": in_variable}
