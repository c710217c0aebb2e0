# peer: semantic-kernel, prompty 2.1.0 with chevron 0.14.0
"""What Prompty makes of files in Mustache, which chevron renders for it: JSON in, JSON out."""

import json
import sys

from prompty_chat import answer

json.dump([answer(case) for case in json.load(sys.stdin)], sys.stdout)
