from openai import OpenAI

client = OpenAI()


def marked(q):
    parts = []
    parts.append("<|im_start|>user\n")
    return "".join(parts)


def plain(q):
    parts = []
    parts.append(q)
    return client.completions.create(model="davinci-002", prompt="".join(parts), max_tokens=5).choices[0].text
