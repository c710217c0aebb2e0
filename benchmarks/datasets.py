"""Converting a data set: rows a second of the processor, as ratios to a loop of json.loads and json.dumps.

    python benchmarks/datasets.py

Memory is the peak of a process of its own, for a small and for a ten times larger file.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from diptych.migrate import Spec, convert_dataset, convert_shard

ROWS = 20_000
SPEC = Spec("finetune_legacy", "finetune_chat", "ignore")
PEAK = """
import resource, sys
from diptych.migrate import Spec, convert_shard
convert_shard(sys.argv[1], sys.argv[2], Spec("finetune_legacy", "finetune_chat", "ignore"))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def write_rows(path: Path, rows: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        for number in range(rows):
            prompt = f"Question {number}: {'lorem ipsum ' * 25}\n\n###\n\n"
            file.write(json.dumps({"prompt": prompt, "completion": f" {'dolor sit ' * 8}END"}) + "\n")


def json_loop(path: Path) -> float:
    start = time.process_time()
    with path.open("rb") as lines:
        for line in lines:
            json.dumps(json.loads(line))
    return time.process_time() - start


def peak(source: Path, target: Path) -> int:
    done = subprocess.run([sys.executable, "-c", PEAK, source, target], capture_output=True, text=True, check=True)
    return int(done.stdout)


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small, large = folder / "small.jsonl", folder / "large.jsonl"
        write_rows(small, ROWS)
        write_rows(large, 10 * ROWS)
        ratios = []
        for turn in range(5):
            floor = json_loop(small)
            start = time.process_time()
            counts = convert_shard(small, folder / f"out{turn}.jsonl", SPEC)
            ratios.append(floor / (time.process_time() - start))
            assert (counts.rows, counts.rejected) == (ROWS, 0)
        ratio = sorted(ratios)[2]
        verdict = "met" if ratio >= 2.5 else "MISSED"
        print(f"{ROWS / floor:>10,.0f} rows a second, json loop")
        print(
            f"{ROWS / floor * ratio:>10,.0f} rows a second, converted: {ratio:.2f} of the loop (target 2.5) {verdict}"
        )
        first, second = peak(small, folder / "a.jsonl"), peak(large, folder / "b.jsonl")
        flat = "met" if second < first * 1.1 else "MISSED"
        print(f"{first:>10,} kB peak for {ROWS:,} rows, {second:,} kB for {10 * ROWS:,}: flat {flat}")
        shards = folder / "shards"
        shards.mkdir()
        for number in range(4):
            write_rows(shards / f"{number}.jsonl", ROWS)
        seconds = []
        for workers in (1, 2):
            start = time.perf_counter()
            convert_dataset(shards, folder / f"out-{workers}", SPEC, workers=workers)
            seconds.append(time.perf_counter() - start)
        gain = seconds[0] / seconds[1]
        print(f"{gain:>10.2f} times faster with two processes (target 1.7) {'met' if gain >= 1.7 else 'MISSED'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
