# peer: here, prompty 2.1.0
"""What Prompty makes of files: JSON in, JSON out."""

import json
import sys
import tempfile
from pathlib import Path

import prompty


def answer(case):
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "a.prompty")
            path.write_text(case["text"], "utf-8", newline="")
            messages = prompty.prepare(prompty.load(str(path)), case["inputs"])
    except Exception as error:
        return {"error": repr(error)}
    return [[m.role, "".join(part.value for part in m.parts), m.metadata.get("name")] for m in messages]


if __name__ == "__main__":
    json.dump([answer(case) for case in json.load(sys.stdin)], sys.stdout)
