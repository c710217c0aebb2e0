"""Render hostile templates, with no limit of the system, or each in a fork, with one on the processor.

Reads lines of ``[entry, template]`` in JSON on standard input; prints a line for each: what happened, how many
megabytes the process grew by, how often the filter ``reached`` was called, and the seconds of the processor. The
arguments are the caps as JSON, and ``fork``. With ``isolate`` among the caps, templates are rendered in the library's
own worker process.
"""

import json
import os
import resource
import sys
import time

from tests.sandbox import isolated

import diptych
from diptych import ChatTemplate, Limits, Template
from diptych.sandbox import isolation, limits


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


FILTERS = {"reached": isolated.reached} if LIMITS.isolate else {"reached": reached, "hoard": hoard}


def render(entry, template):
    if entry == "chat":
        return ChatTemplate(template, limits=LIMITS).render([])
    return Template.from_string(template, limits=LIMITS, filters=FILTERS).render().prompt


def attempt(entry, template):
    with open("/proc/self/clear_refs", "w") as peak:
        peak.write("5")  # the peak is that of this process from now on
    before, begun = memory("VmRSS"), time.process_time()  # clock: the processor time of a render is what it may cost
    try:
        outcome = f"rendered {len(render(entry, template))} characters"
    except diptych.DiptychError as error:
        outcome = type(error).__name__
        if "more memory than it may" in error.message or "MemoryError" in error.message:
            outcome = "MemoryError"  # that it was caught is luck
    rounds = len(ROUNDS)
    ROUNDS.clear()
    return [outcome, memory("VmHWM") - before, rounds, round(time.process_time() - begun, 2)]  # clock: as above


def in_fork(entry, template):
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        resource.setrlimit(resource.RLIMIT_CPU, (8, 8))
        os.write(writing, json.dumps(attempt(entry, template)).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        text = answer.read()
    status = os.waitpid(child, 0)[1]
    return json.loads(text) if text else [f"died of {status}", 0, 0, 8]


# A render's clock is that of the processor: what a template does before it is stopped depends on no other process.
limits.monotonic = time.process_time
if LIMITS.isolate:
    isolation.MOST_SECONDS = 1.0  # what ends the worker is the system, all the same
else:
    render("template", "{% if 1 %}{% endif %}")
    render("chat", "{% if 1 %}{% endif %}")
for line in sys.stdin:
    print(json.dumps((in_fork if "fork" in sys.argv else attempt)(*json.loads(line))), flush=True)
