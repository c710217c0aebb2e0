"""Converting data sets to messages: rows a second, as ratios to floors of the same run.

    python benchmarks/datasets.py            # 100,000 rows, about 47 MB
    python benchmarks/datasets.py --rows 20000

Floors: a loop by hand over ``json.loads`` and ``json.dumps`` that does the same job; tiktoken's
``encode_ordinary`` on the texts alone. Time is that of the processor, measured in turns; memory is
the peak of a process of its own, for a file and for one eight times larger.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from diptych import tokens
from diptych.migrate import Spec, convert_dataset, convert_shard, plan_dataset
from diptych.migrate.data import rows as rows_module
from diptych.migrate.data import shard

SPEC = Spec("finetune_legacy", "finetune_chat", "ignore")
TALKS = Spec("sharegpt", "finetune_chat", "ignore")
COUNTED = Spec("finetune_legacy", "finetune_chat", "ignore", model="gpt-5.4-mini")
TURNS = 7
#: Words of a language as people write it, and of code: those of this project's own pages.
WORDS = " ".join(page.read_text("utf-8") for page in sorted(Path(__file__).parents[1].glob("docs/**/*.md"))).split()
PEAK = """
import sys
from diptych.migrate import Spec, convert_shard
convert_shard(sys.argv[1], sys.argv[2], Spec("finetune_legacy", "finetune_chat", "ignore"))
# The peak since this program began; that of getrusage includes the process it was started from.
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def write_rows(path: Path, rows: int) -> None:
    pick = random.Random(7)
    with path.open("w", encoding="utf-8") as file:
        for number in range(rows):
            prompt = f"Question {number}:\n{' '.join(pick.choices(WORDS, k=45))}\n\n###\n\n"
            answer = f" {' '.join(pick.choices(WORDS, k=15))} END"
            file.write(json.dumps({"prompt": prompt, "completion": answer}, ensure_ascii=False) + "\n")


def by_hand(source: Path, target: Path) -> None:
    with source.open("rb") as lines, target.open("wb") as out:
        for line in lines:
            row = json.loads(line)
            user = row["prompt"].removesuffix("\n\n###\n\n")
            answer = row["completion"].removeprefix(" ").removesuffix(" END")
            messages = [{"role": "user", "content": user}, {"role": "assistant", "content": answer}]
            out.write(json.dumps({"messages": messages}, ensure_ascii=False).encode() + b"\n")


def write_talks(path: Path, rows: int) -> None:
    """Write rows of ShareGPT's shape, of four turns."""
    pick = random.Random(8)
    with path.open("w", encoding="utf-8") as file:
        for _ in range(rows):
            texts = [" ".join(pick.choices(WORDS, k=20)) for _ in range(4)]
            turns = [{"from": ("human", "gpt")[n % 2], "value": text} for n, text in enumerate(texts)]
            file.write(json.dumps({"conversations": turns}, ensure_ascii=False) + "\n")


def talks_by_hand(source: Path, target: Path) -> None:
    roles = {"human": "user", "gpt": "assistant", "system": "system"}
    with source.open("rb") as lines, target.open("wb") as out:
        for line in lines:
            turns = json.loads(line)["conversations"]
            messages = [{"role": roles[turn["from"]], "content": turn["value"]} for turn in turns]
            out.write(json.dumps({"messages": messages}, ensure_ascii=False).encode() + b"\n")


def general(folder: Path, rows: int) -> None:
    """Print how fast rows are converted that are taken apart: plain turns, and the neutral model on the way."""
    source = folder / "talks.jsonl"
    write_talks(source, rows)

    def floor() -> None:
        talks_by_hand(source, folder / "hand.jsonl")

    base, ratio = ratios(folder, floor, converted(source, TALKS, with_msgspec=False))
    print(f"{rows / base:>12,.0f} rows a second, json loop by hand on talks of four turns")
    told(rows, base, ratio, "talks converted", 1.0)
    shorter = rows_module.plain_converter
    rows_module.plain_converter = lambda *_: None
    try:
        base, ratio = ratios(folder, floor, converted(source, TALKS, with_msgspec=False))
    finally:
        rows_module.plain_converter = shorter
    print(f"{rows / base * ratio:>12,.0f} rows a second, talks through the neutral model: {ratio:.2f} of the floor")


def planned(folder: Path) -> None:
    """Print how long a plan of a terabyte takes, and what it reads of it: a file of holes behind its first rows."""
    source = folder / "holes.jsonl"
    write_rows(source, 1000)
    with source.open("r+b") as file:
        file.truncate(10**12)
    start = time.perf_counter()
    shards = plan_dataset(source, folder / "planned", SPEC, join=False).shards
    spent = time.perf_counter() - start
    source.unlink()
    verdict = "met" if spent < 1 else "MISSED"
    print(f"{spent:>12.2f} s until {len(shards):,} shards of a terabyte are planned (target 1) {verdict}")


def encode_alone(source: Path) -> None:
    """What counting costs with tiktoken by hand; the texts are at hand already."""
    encode = tokens.encoding_for_model("gpt-5.4-mini").encode_ordinary
    for user, answer in TEXTS[source]:
        encode(user)
        encode(answer)


TEXTS: dict[Path, list[tuple[str, str]]] = {}


def seconds(work: Callable[[], object], folder: Path) -> float:
    """Return the processor's time of a piece of work; what the last one wrote is gone before it is looked at."""
    for left in (*folder.glob("converted.jsonl*"), *folder.glob("hand.jsonl")):
        left.unlink()
    start = time.process_time()
    work()
    return time.process_time() - start


def converted(source: Path, spec: Spec, *, with_msgspec: bool) -> Callable[[], None]:
    target = source.with_name("converted.jsonl")

    def work() -> None:
        found = shard.lines_decoder
        if not with_msgspec:
            shard.lines_decoder = lambda: None
        try:
            counts = convert_shard(source, target, spec)
        finally:
            shard.lines_decoder = found
        assert counts.converted == counts.rows, counts

    return work


def ratios(folder: Path, floor: Callable[[], object], work: Callable[[], object]) -> tuple[float, float]:
    """Return the floor's median seconds, and the median of floor over work, pair by pair."""
    pairs = [(seconds(floor, folder), seconds(work, folder)) for _ in range(TURNS)]
    return statistics.median(a for a, _ in pairs), statistics.median(a / b for a, b in pairs)


def told(rows: int, floor: float, ratio: float, what: str, target: float) -> None:
    verdict = "met" if ratio >= target else "MISSED"
    print(f"{rows / floor * ratio:>12,.0f} rows a second, {what}: {ratio:.2f} of the floor (target {target}) {verdict}")


def peak(source: Path, target: Path) -> int:
    """Return the peak in kB: the least of three runs, for an allocator's luck adds some."""
    found = []
    for turn in range(3):
        command = [sys.executable, "-c", PEAK, source, target.with_suffix(f".{turn}.jsonl")]
        found.append(int(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
    return min(found)


def processes(folder: Path, source: Path) -> float:
    """Return how much faster two processes are than one: wall-clock, best of two."""
    best = {}
    for turn in range(2):
        for workers in (1, 2):
            start = time.perf_counter()
            convert_dataset(source, folder / f"workers-{workers}-{turn}.jsonl", COUNTED, workers=workers)
            best[workers] = min(best.get(workers, 1e9), time.perf_counter() - start)
    return best[1] / best[2]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "in.jsonl"
        write_rows(source, rows)
        print(f"{rows:,} rows, {source.stat().st_size / 1e6:.0f} MB")
        floor, ratio = ratios(
            folder, lambda: by_hand(source, folder / "hand.jsonl"), converted(source, SPEC, with_msgspec=False)
        )
        print(f"{rows / floor:>12,.0f} rows a second, json loop by hand")
        told(rows, floor, ratio, "converted, standard library", 2.5)
        if shard.lines_decoder() is not None:
            work = converted(source, SPEC, with_msgspec=True)
            floor, ratio = ratios(folder, lambda: by_hand(source, folder / "hand.jsonl"), work)
            told(rows, floor, ratio, "converted, with msgspec", 5.0)
        with source.open("rb") as lines:
            TEXTS[source] = [(r["prompt"], r["completion"]) for r in map(json.loads, lines)]
        floor, ratio = ratios(folder, lambda: encode_alone(source), converted(source, COUNTED, with_msgspec=True))
        print(f"{rows / floor:>12,.0f} rows a second, tiktoken alone")
        told(rows, floor, ratio, "converted and counted", round(1 / 1.15, 2))
        general(folder, rows // 4)
        planned(folder)
        large = folder / "large.jsonl"
        with large.open("wb") as file:
            for _ in range(8):
                file.write(source.read_bytes())
        first, second = peak(source, folder / "a.jsonl"), peak(large, folder / "b.jsonl")
        flat = "met" if second < first * 1.2 else "MISSED"
        print(f"{first:>12,} kB peak for {rows:,} rows, {second:,} kB for {8 * rows:,}: flat {flat}")
        several = folder / "several.jsonl"
        several.write_bytes(source.read_bytes() * 4)
        gain = processes(folder, several)
        what = f"times faster with two processes, {4 * rows:,} rows counted"
        print(f"{gain:>12.2f} {what} (target 1.7) {'met' if gain >= 1.7 else 'MISSED'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
