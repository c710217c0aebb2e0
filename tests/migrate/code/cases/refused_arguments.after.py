# refused: unpacked-arguments@7 positional-arguments@8 unpacked-arguments@10
import openai


def ask(*args, **kwargs):
    # the cookbook's helper
    openai.Completion.create(**kwargs)
    openai.Completion.create("m", prompt="x")
    options = dict([("model", "m")])
    openai.Completion.create(prompt="x", **options)
