"""Pack tiktoken's rank files for the wheel: ``python scripts/pack_ranks.py RANKS_DIR``.

Rule: a file whose sha256 is not the published one is refused. The packed form is
zlib level 9 over: the number of ranks (4 bytes, little endian), one length byte a
rank (0: this rank holds no token), then the bytes of all tokens in rank order.
Run it again on the same files and the same bytes come out.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import struct
import sys
import zlib
from pathlib import Path

#: sha256 of the official files, as ``tiktoken_ext/openai_public.py`` of tiktoken 0.14.0 states them.
SHA256 = {
    "o200k_base": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    "cl100k_base": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    "p50k_base": "94b5ca7dff4d00767bc256fdd1b27e5b17361d7b8a5f968547f9f23eb70d2069",
    "r50k_base": "306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930",
}
#: r50k_base needs no file of its own: it is the first 50,256 ranks of p50k_base.
PACKED = ("o200k_base", "cl100k_base", "p50k_base")
R50K_RANKS = 50256
TARGET = Path(__file__).resolve().parents[1] / "src" / "diptych" / "encodings" / "ranks"


def read_ranks(path: Path, sha256: str) -> dict[int, bytes]:
    """Return rank to token of a ``.tiktoken`` file; raise ValueError where its hash differs."""
    data = path.read_bytes()
    if (found := hashlib.sha256(data).hexdigest()) != sha256:
        raise ValueError(f"{path.name}: sha256 is {found}, {sha256} was published")
    pairs = (line.split() for line in data.splitlines() if line)
    return {int(rank): base64.b64decode(token) for token, rank in pairs}


def pack(ranks: dict[int, bytes]) -> bytes:
    """Return the packed form of ``ranks``; see the module's rule."""
    tokens = [ranks.get(rank, b"") for rank in range(max(ranks) + 1)]
    lengths = bytes(len(token) for token in tokens)
    return zlib.compress(struct.pack("<I", len(tokens)) + lengths + b"".join(tokens), 9)


def main() -> int:
    """Check and pack every file of the folder given on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ranks_dir", type=Path)
    folder = parser.parse_args().ranks_dir
    read = {name: read_ranks(folder / f"{name}.tiktoken", sha256) for name, sha256 in SHA256.items()}
    head = {rank: token for rank, token in read["p50k_base"].items() if rank < R50K_RANKS}
    if head != read["r50k_base"]:
        raise ValueError("r50k_base is not the head of p50k_base")
    TARGET.mkdir(parents=True, exist_ok=True)
    for name in PACKED:
        packed = pack(read[name])
        (TARGET / f"{name}.bin").write_bytes(packed)
        print(f"{name}: {len(read[name])} tokens, {len(packed)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
