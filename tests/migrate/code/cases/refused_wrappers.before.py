# refused: unpacked-arguments@6 unpacked-arguments@10 unpacked-arguments@15 stream-unknown@21 unpacked-arguments@27
import openai


def public(**kwargs):
    return openai.Completion.create(**kwargs)


def given_on(**kwargs):
    return openai.Completion.create(**kwargs)["choices"][0]["text"]


def changed(**kwargs):
    kwargs["model"] = "text-davinci-003"
    return openai.Completion.create(**kwargs)["choices"][0]["text"]


def ask(options):
    given_on(**options)
    changed(prompt="x")
    return openai.Completion.create(prompt="x", model="m", **{"stream": options})


def filled(q):
    more = {"model": "m"}
    more["echo"] = False
    openai.Completion.create(prompt=q, **more)
