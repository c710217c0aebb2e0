# peer: semantic-kernel, python-liquid 2.3.6
"""What Liquid makes of templates: JSON in, JSON out."""

import json
import sys

from liquid import Environment

ENVIRONMENT = Environment()


def messages(case):
    try:
        return [["user", ENVIRONMENT.from_string(case["text"]).render(**case["inputs"]), None]]
    except Exception as error:
        return {"error": f"{type(error).__name__} {error}"}


json.dump([messages(case) for case in json.load(sys.stdin)], sys.stdout)
