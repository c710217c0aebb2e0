"""Call sites, before and after."""

import textwrap

import pytest

import diptych

pytest.importorskip("libcst", reason="libcst comes with the extra `migrate`")

from diptych.migrate import migrate_code

CASES = [
    (
        """
        from openai import OpenAI
        client = OpenAI()
        # ask
        reply = client.completions.create(
            model="gpt-3.5-turbo-instruct",  # the old one
            prompt=f'Translate the following English text to French: "{text}"',
            max_tokens=60,
        )
        print(reply.choices[0].text.strip())
        """,
        """
        from openai import OpenAI
        client = OpenAI()
        # ask
        reply = client.chat.completions.create(
            model="gpt-5.4-mini",  # the old one
            messages=[{"role": "user", "content": f'Translate the following English text to French: "{text}"'}],
            max_completion_tokens=60,
        )
        print(reply.choices[0].message.content.strip())
        """,
    ),
    (
        """
        import openai
        def ask(q):
            r = openai.Completion.create(engine="my-model", prompt=q, max_tokens=5)
            return r["choices"][0]["text"]
        """,
        """
        import openai
        def ask(q):
            r = openai.ChatCompletion.create(model="my-model", messages=[{"role": "user", "content": q}], max_completion_tokens=5)
            return r["choices"][0]["message"]["content"]
        """,
    ),
    (
        """
        async def ask(self):
            return (await self.client.completions.create(model=M, prompt="Hi")).choices[0].text
        """,
        """
        async def ask(self):
            return (await self.client.chat.completions.create(model=M, messages=[{"role": "user", "content": "Hi"}], max_completion_tokens=16)).choices[0].message.content
        """,
    ),
]


def dedent(text):
    return textwrap.dedent(text).lstrip("\n")


@pytest.mark.parametrize(("before", "after"), CASES)
def test_before_and_after(before, after):
    found = migrate_code(dedent(before))
    assert found.source == dedent(after)
    assert found.changes
    assert found.refusals == ()
    again = migrate_code(found.source)
    assert (again.source, again.changes) == (found.source, ())
    compile(found.source, "x", "exec")


@pytest.mark.parametrize(
    ("call", "why"),
    [
        ('c.completions.create(model="m", prompt="a", suffix="b")', "suffix"),
        ('c.completions.create(model="m", prompt=["a", "b"], n=2)', "list of prompts"),
        ("c.completions.create(**kwargs)", "unpacked"),
        ('c.completions.create(model="m", prompt="a", echo=True, logprobs=1)', "repeat"),
        ('c.completions.create(model="m", prompt="a", stream=True)', "stream"),
        ('openai.Completion.create("m", prompt="a")', "positional"),
    ],
)
def test_refusals_leave_the_call_and_say_where(call, why):
    source = f"x = 1\ny = {call}\nprint(y.choices[0].text)\n"
    found = migrate_code(source, "app.py")
    assert found.source == source
    assert [str(r.place) for r in found.refusals] == ["app.py:2:5"]
    assert why in found.refusals[0].reason


def test_a_name_that_was_imported_is_imported_anew():
    source = 'from openai import Completion\nr = Completion.create(model="m", prompt="x", max_tokens=1)\n'
    found = migrate_code(source)
    assert found.source.startswith("from openai import ChatCompletion\nr = ChatCompletion.create(")
    assert found.refusals == ()


def test_other_code_is_left_alone():
    source = "r = c.chat.completions.create(messages=[])\nt = r.choices[0].text\nself.text = other.choices[0].text\n"
    assert migrate_code(source).source == source


def test_names_of_other_functions_are_other_names():
    source = dedent("""
        def a():
            r = c.completions.create(model="m", prompt="x", max_tokens=1)
            return r.choices[0].text
        def b(r):
            return r.choices[0].text
        """)
    found = migrate_code(source).source
    assert found.count(".message.content") == 1
    assert "def b(r):\n    return r.choices[0].text" in found


def test_a_source_that_does_not_parse_says_where():
    with pytest.raises(diptych.MigrationError) as caught:
        migrate_code("def f(:\n", "bad.py")
    assert caught.value.path.startswith("bad.py:1:")
