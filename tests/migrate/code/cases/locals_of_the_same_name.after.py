from openai import OpenAI

client = OpenAI()


def marked(q):
    parts = []
    parts.append("<|im_start|>user\n")
    return "".join(parts)


def plain(q):
    parts = []
    parts.append(q)
    return client.chat.completions.create(model="gpt-5.4-mini", messages=[{"role": "user", "content": "".join(parts)}], max_completion_tokens=5).choices[0].message.content
