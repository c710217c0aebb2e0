"""Render hostile templates, each in a fork of this process, with no limit of the system but one on the processor.

Reads a JSON list of ``[entry, template]`` on standard input; prints for each what happened, how many megabytes the
process grew by, and how often the filter ``reached`` was called. The argument is the caps as JSON.
"""

import json
import os
import resource
import sys

import diptych
from diptych import ChatTemplate, Limits, Template


def memory(name):
    """Return a figure of this process in megabytes: VmRSS is what it holds, VmHWM the most that it held."""
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) // 1024 for line in lines if line.startswith(name))


LIMITS = Limits(**json.loads(sys.argv[1]))
ROUNDS = []


def reached(_):
    ROUNDS.append(1)
    return ""


HOARD = []


def hoard(size):
    """What a filter without a cost may do."""
    HOARD.append("x" * (size << 20))
    return 0


def render(entry, template):
    if entry == "chat":
        return ChatTemplate(template, limits=LIMITS).render([])
    return Template.from_string(template, limits=LIMITS, filters={"reached": reached, "hoard": hoard}).render().prompt


def attempt(entry, template):
    with open("/proc/self/clear_refs", "w") as peak:
        peak.write("5")  # the peak is that of this process from now on
    resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
    before = memory("VmRSS")
    try:
        outcome = f"rendered {len(render(entry, template))} characters"
    except diptych.DiptychError as error:
        outcome = type(error).__name__
        if "more memory than it may" in error.message or "MemoryError" in error.message:
            outcome = "MemoryError"  # that it was caught is luck
    return [outcome, memory("VmHWM") - before, len(ROUNDS)]


def in_fork(row):
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, json.dumps(attempt(*row)).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        text = answer.read()
    status = os.waitpid(child, 0)[1]
    return json.loads(text) if text else [f"died of {status}", 0, 0]


render("template", "{% if 1 %}{% endif %}")
render("chat", "{% if 1 %}{% endif %}")
print(json.dumps([in_fork(row) for row in json.load(sys.stdin)]))
