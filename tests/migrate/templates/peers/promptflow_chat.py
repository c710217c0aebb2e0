# peer: promptflow, promptflow-core 1.18.5
"""What promptflow makes of templates: JSON in, JSON out."""

import json
import sys

from promptflow.core._prompty_utils import parse_chat, render_jinja_template


def messages(case):
    try:
        return [
            [m["role"], m["content"], m.get("name")]
            for m in parse_chat(render_jinja_template(case["text"], **case["inputs"]))
        ]
    except Exception as error:
        return {"error": type(error).__name__}


json.dump([messages(case) for case in json.load(sys.stdin)], sys.stdout)
