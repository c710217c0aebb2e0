"""Encodings from the packed ranks: the official ones, offline, thread-safe, picklable."""

import hashlib
import multiprocessing
import pickle
import subprocess
import sys
import threading
from base64 import b64encode
from pathlib import Path

import pytest
import tiktoken_ext.openai_public as official

from diptych.catalogue.models import base_name, known_models, model_info
from diptych.encodings import encoding as encodings
from diptych.encodings.encoding import encoding, encoding_for_model, preload
from diptych.encodings.recipes import RECIPES, read_packed
from diptych.errors import TokenError

SHA256 = {
    ("o200k_base", None): "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    ("cl100k_base", None): "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    ("p50k_base", None): "94b5ca7dff4d00767bc256fdd1b27e5b17361d7b8a5f968547f9f23eb70d2069",
    ("p50k_base", 50256): "306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930",
}


@pytest.mark.parametrize(("key", "sha256"), SHA256.items(), ids=str)
def test_packed_ranks_are_the_official_files_byte_for_byte(key, sha256):
    ranks = read_packed(*key)
    lines = (b64encode(token) + b" %d\n" % rank for token, rank in sorted(ranks.items(), key=lambda item: item[1]))
    assert hashlib.sha256(b"".join(lines)).hexdigest() == sha256


@pytest.mark.parametrize("name", RECIPES)
def test_patterns_and_control_tokens_are_the_official_ones(name, monkeypatch):
    monkeypatch.setattr(official, "load_tiktoken_bpe", lambda *args, **kwargs: {})
    published = official.ENCODING_CONSTRUCTORS[name]()
    assert RECIPES[name].pattern == published["pat_str"]
    assert RECIPES[name].special == published["special_tokens"]


def test_an_encoding_pickles_by_name_and_loads_once():
    bpe = encoding("r50k_base")
    assert pickle.loads(pickle.dumps(bpe)) is bpe
    assert len(pickle.dumps(bpe)) < 200
    assert bpe._mergeable_ranks[b"hello"] == 31373


def test_threads_build_one_encoding(monkeypatch):
    monkeypatch.setattr(encodings, "_loaded", {})
    found = []
    threads = [threading.Thread(target=lambda: found.append(encoding("r50k_base"))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(bpe) for bpe in found}) == 1


def test_preload_fills_the_cache(monkeypatch):
    monkeypatch.setattr(encodings, "_loaded", {})
    preload("r50k_base").join()
    assert set(encodings._loaded) == {"r50k_base"}


def _child(queue):
    queue.put(encoding("r50k_base").encode_ordinary("hello world"))


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_fork_while_another_thread_loads_does_not_hang(monkeypatch):
    monkeypatch.setattr(encodings, "_loaded", {})
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    held, release = threading.Event(), threading.Event()

    def hold():
        with encodings._lock:
            held.set()
            release.wait(900)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    child = context.Process(target=_child, args=(queue,))
    child.start()
    child.join(900)
    release.set()
    thread.join()
    assert child.exitcode == 0
    assert queue.get() == [31373, 995]


def test_import_loads_no_tiktoken_and_no_network():
    code = "import diptych.tokens, sys; sys.exit(any(m in sys.modules for m in ('tiktoken','requests','jinja2')))"
    environ = {"PYTHONPATH": str(Path(encodings.__file__).parents[2])}
    assert subprocess.run([sys.executable, "-c", code], env=environ).returncode == 0


@pytest.mark.parametrize(
    ("model", "name", "family"),
    [
        ("gpt-4o-mini", "o200k_base", "chat"),
        ("gpt-4o-2024-08-06", "o200k_base", "chat"),
        ("gpt-3.5-turbo-0613", "cl100k_base", "chat"),
        ("gpt-3.5-turbo-0301", "cl100k_base", "chat-0301"),
        ("gpt-3.5-turbo-instruct:20230824-v2", "cl100k_base", "completions"),
        ("davinci:2023-07-21-v2", "cl100k_base", "completions"),
        ("davinci-002", "cl100k_base", "completions"),
        ("davinci", "r50k_base", "completions"),
        ("text-davinci-003", "p50k_base", "completions"),
        ("ft:gpt-4o-mini-2024-07-18:acme::x", "o200k_base", "chat"),
        ("openai/gpt-4.1", "o200k_base", "chat"),
        ("gpt-5.6-sol", "o200k_base", "gpt5"),
        ("gpt-6.1-sol", "o200k_base", "gpt5"),
        ("o3-mini-2025-01-31", "o200k_base", "o"),
        ("gpt-realtime", "o200k_base", "chat"),
        ("gpt-oss-20b", "o200k_harmony", "gpt5"),
    ],
)
def test_models_are_known(model, name, family):
    info = model_info(model)
    assert (info.encoding, info.family, info.known) == (name, family, True)


def test_unknown_models_follow_a_family_or_nothing():
    assert model_info("gpt-6-imaginary").known is False
    assert encoding_for_model("gpt-6-imaginary").name == "o200k_base"
    assert model_info("claude-3").encoding is None
    with pytest.raises(TokenError, match="claude-3"):
        encoding_for_model("claude-3")
    with pytest.raises(TokenError, match="no_such"):
        encoding("no_such")


def test_a_prefix_is_no_match():
    assert base_name("gpt-4o-minimal") == "gpt-4o-minimal"
    assert model_info("gpt-4o-minimal").known is False
    assert all(model_info(name).known for name in known_models())
