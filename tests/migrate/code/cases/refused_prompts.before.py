# refused: prompt-list@9 prompt-list@10 prompt-list@11 prompt-tokens@12 prompt-tokens@13 no-prompt@14 no-prompt@15 fill-in-middle@16 reply-begun@17 prompt-list@18 prompt-list@19 prompt-tokens@20
from openai import OpenAI

client = OpenAI()
LINES = ["a", 2]


def ask(q: str, many: list, prompts, enc):
    client.completions.create(model="m", prompt=["a", b])
    client.completions.create(model="m", prompt=[f"Say {x}" for x in q], n=2)
    client.completions.create(model="m", prompt=many)
    client.completions.create(model="m", prompt=[1, 2, 3])
    client.completions.create(model="m", prompt=enc.encode(q))
    client.completions.create(model="m")
    client.completions.create(model="m", prompt=None)
    client.completions.create(model="m", prompt="<fim_prefix>def f(<fim_suffix>)<fim_middle>")
    client.completions.create(model="m", prompt=f"<|im_start|>user\n{q}<|im_end|>\n<|im_start|>assistant\nSure,")
    client.completions.create(model="m", prompt=prompts)
    client.completions.create(model="m", prompt=LINES)
    client.completions.create(model="m", prompt=b"bytes")
