# refused: reply-begun@8 reply-begun@13 reply-begun@19 result-escapes@25
from openai import OpenAI

client = OpenAI()


def code(prefix):
    r = client.completions.create(model="gpt-3.5-turbo-instruct", prompt=prefix, max_tokens=50)
    return prefix + r.choices[0].text


def sql(q):
    r = client.completions.create(model="gpt-3.5-turbo-instruct", prompt=f"-- {q}\nSELECT", max_tokens=50)
    text = r.choices[0].text.rstrip()
    return f"SELECT{text}"


def grow(story):
    r = client.completions.create(model="gpt-3.5-turbo-instruct", prompt=story, max_tokens=50)
    story += r.choices[0].text
    return story


def first(q):
    it = iter(client.completions.create(model="gpt-3.5-turbo-instruct", prompt=q, max_tokens=5, stream=True))
    return next(it).choices[0].text
