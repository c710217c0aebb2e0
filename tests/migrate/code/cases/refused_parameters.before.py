# refused: suffix@7 best-of@8 echo@9 echo@10 scoring@11 logprobs@12 logprobs@13 logit-bias@15 stream-unknown@16 unknown-argument@17 extra-body@18 extra-body@19
from openai import OpenAI

client = OpenAI()

def ask(q, k, flag, bias, body):
    client.completions.create(model="m", prompt=q, suffix="x")
    client.completions.create(model="m", prompt=q, best_of=3)
    client.completions.create(model="m", prompt="x", echo=True)
    client.completions.create(model="m", prompt=q, echo=True, logprobs=1, max_tokens=0)
    client.completions.create(model="m", prompt=q, max_tokens=0)
    client.completions.create(model="m", prompt=q, logprobs=k)
    r = client.completions.create(model="m", prompt=q, logprobs=2)
    print(r.choices[0].text, r.choices[0].logprobs.top_logprobs)
    client.completions.create(model="davinci-002", prompt=q, logit_bias=bias)
    client.completions.create(model="m", prompt=q, stream=flag)
    client.completions.create(model="m", prompt=q, magic=1)
    client.completions.create(model="m", prompt=q, extra_body=body)
    client.completions.create(model="m", prompt=q, extra_body={"echo": True})
