"""Checking a thousand small templates, beside reading them and parsing them with Jinja.

    python benchmarks/check.py

Floor: the files read and their bodies parsed by Jinja's own parser in the same run. Target: 3 s
for a thousand files on two cores, the start of the command included.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import jinja2

FILES = 1_000
TARGET = 3.0
SOURCE = """---
description: Number {number}.
params: {{temperature: 0}}
inputs:
  text: string
  tone: {{type: string, default: kind}}
---
{{% system %}}Be brief {number}.{{% endsystem %}}
{{% if tone %}}
{{% user %}}Say it in a {{{{ tone }}}} tone: {{{{ text }}}}{{% enduser %}}
{{% endif %}}
"""


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(FILES):
            (folder / f"t{number}.jinja").write_text(SOURCE.format(number=number))
        start = time.perf_counter()
        environment = jinja2.Environment()
        for path in folder.iterdir():
            body = path.read_text("utf-8").split("---\n", 2)[2]
            environment.parse(body.replace("system", "filter upper", 1).replace("endfilter upper", "endfilter").replace(
                "{% endsystem", "{% endfilter").replace("{% user %}", "").replace("{% enduser %}", ""))  # fmt: skip
        floor = time.perf_counter() - start
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "diptych", "check", name], check=True, capture_output=True)
        taken = time.perf_counter() - start
    met = "met" if taken <= TARGET else "MISSED"
    print(f"{FILES:,} templates: {taken:.2f} s, {taken / floor:.1f} x reading and parsing; target {TARGET} s  {met}")
    return taken > TARGET


if __name__ == "__main__":
    raise SystemExit(main())
