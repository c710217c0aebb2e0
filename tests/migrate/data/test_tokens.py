"""Tokens of a data set: the sum of what counting each row alone gives."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych import count
from diptych.datasets.finetune import Separators
from diptych.errors import MigrationError
from diptych.migrate import Spec, convert_shard
from diptych.migrate.data.counts import ShardCounts
from diptych.migrate.data.tokens import RowCounter, Tokens

MODELS = ["gpt-4o-mini", "gpt-3.5-turbo", "gpt-4", "gpt-5", "o3"]


def pair(user, answer):
    return [{"role": "user", "content": user}, {"role": "assistant", "content": answer}]


@pytest.mark.parametrize("model", MODELS)
@given(texts=st.lists(st.tuples(st.text(max_size=40), st.text(max_size=40)), max_size=4))
def test_spliced_rows_count_as_messages_do(model, texts):
    counts = ShardCounts()
    tokens = Tokens(Spec(model=model, source_model="gpt-3.5-turbo-instruct"), counts)
    separators = Separators(" ->", " ", " END")
    prompts, completions = [f"{a} ->" for a, _ in texts], [f" {b} END" for _, b in texts]
    tokens.add_texts(prompts, completions, separators)
    assert counts.tokens_after == sum(count(pair(a, b), model).tokens for a, b in texts)
    assert counts.tokens_before == sum(count(text, "gpt-3.5-turbo-instruct").tokens for text in prompts + completions)


ROLES = st.sampled_from(["system", "user", "assistant"])


@pytest.mark.parametrize("model", [*MODELS, "gpt-3.5-turbo-instruct"])
@given(talks=st.lists(st.lists(st.tuples(ROLES, st.text(max_size=20)), min_size=1, max_size=4), max_size=4))
def test_plain_rows_count_as_messages_do(model, talks):
    counter, wanted = RowCounter(model), 0
    for talk in talks:
        wanted += count({"messages": [{"role": role, "content": text} for role, text in talk]}, model).tokens or 0
    assert counter.talks(talks) == wanted


@pytest.mark.parametrize("to", ["finetune_chat", "sharegpt", "trl_prompt_completion"])
def test_every_way_counts_the_same(tmp_path, to):
    rows = [{"prompt": f"Say {n} ->", "completion": f" {n}"} for n in range(20)]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    spec = {"to": to, "model": "gpt-4o-mini", "source_model": "gpt-3.5-turbo-instruct"}
    counts = convert_shard(tmp_path / "in.jsonl", tmp_path / "out.jsonl", spec)
    assert counts.converted == 20
    assert counts.tokens_after == sum(count(pair(f"Say {n}", str(n)), "gpt-4o-mini").tokens for n in range(20))
    texts = [text for row in rows for text in row.values()]
    assert counts.tokens_before == sum(count(text, "gpt-3.5-turbo-instruct").tokens for text in texts)


def test_a_worse_answer_is_counted_with_its_question(tmp_path):
    row = {
        "prompt": [{"role": "user", "content": "a b c"}],
        "chosen": pair("", "x")[1:],
        "rejected": pair("", "y z")[1:],
    }
    (tmp_path / "in.jsonl").write_text(json.dumps(row))
    counts = convert_shard(tmp_path / "in.jsonl", tmp_path / "out.jsonl", {"to": "openai_dpo", "model": "gpt-4o-mini"})
    assert counts.converted == 1
    assert counts.tokens_after == sum(count(pair("a b c", text), "gpt-4o-mini").tokens for text in ("x", "y z"))


def test_a_model_whose_tokens_are_unknown_is_an_error(tmp_path):
    (tmp_path / "in.jsonl").write_text('{"prompt": "a", "completion": "b"}')
    with pytest.raises(MigrationError, match="its encoding is not known"):
        convert_shard(tmp_path / "in.jsonl", tmp_path / "out.jsonl", {"model": "my-llama"})
