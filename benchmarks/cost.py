"""Price a JSONL of requests for three models, against tiktoken alone on the same texts.

    python benchmarks/cost.py [LINES]

Floor: tiktoken's encode_ordinary of every content, once per distinct encoding of the models, in one
process. Target: at least 0.8 of its speed, memory that does not grow with the file, and totals that
equal the sum of ``estimate`` over the lines (checked on the first thousand).
"""

from __future__ import annotations

import json
import random
import resource
import sys
import tempfile
import time
from pathlib import Path

from diptych.cli.cost_files import Asked, price_file
from diptych.encodings.encoding import encoding, encoding_name_for_model
from diptych.prices import estimate
from diptych.prices.plain import usd

MODELS = ("gpt-4o", "gpt-4.1-mini", "gpt-5.4-mini")
WORDS = tuple("the quick brown fox jumps over a lazy dog while seven wizards brew their evening tea".split())  # noqa: SIM905


def write(path: Path, lines: int) -> None:
    """Write request bodies of about 120 tokens, no two alike."""
    random.seed(7)
    with path.open("w", encoding="utf-8") as out:
        for number in range(lines):
            text = f"{number} {' '.join(random.choices(WORDS, k=100))}"
            talk = [{"role": "system", "content": "Answer in one word."}, {"role": "user", "content": text}]
            out.write(json.dumps({"messages": talk, "max_tokens": 20}) + "\n")


def floor(path: Path) -> float:
    """Return the seconds that tiktoken alone takes for the texts of the file."""
    spent = 0.0
    for name in sorted({encoding_name_for_model(model) for model in MODELS}):
        encode = encoding(name).encode_ordinary
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                texts = [message["content"] for message in json.loads(line)["messages"]]
                start = time.perf_counter()
                for text in texts:
                    encode(text)
                spent += time.perf_counter() - start
    return spent


def check(path: Path) -> None:
    """Assert that the totals of a file are the sum of its estimates."""
    bulk = price_file(str(path), Asked(MODELS), None, [], 1).bulk
    bodies = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    for model in MODELS:
        assert usd(bulk.totals[model].expected) == sum(estimate(body, model).cost.expected for body in bodies)


def main() -> int:
    """Measure and print."""
    lines = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder, "small.jsonl"), Path(folder, "large.jsonl")
        write(small, 1000)
        check(small)
        write(large, lines)
        alone = floor(large)
        start = time.perf_counter()
        priced = price_file(str(large), Asked(MODELS), None, [], None)
        ours = time.perf_counter() - start
        assert priced.bulk.requests == lines
    most = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    met = alone / ours >= 0.8
    print(
        f"{lines:,} lines for {len(MODELS)} models: {ours:.1f} s; tiktoken alone {alone:.1f} s; "
        f"{alone / ours:.2f} of its speed (target 0.80: {'met' if met else 'MISSED'}); at most {most / 1024:.0f} MB"
    )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
