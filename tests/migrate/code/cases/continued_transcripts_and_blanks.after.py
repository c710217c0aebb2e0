from openai import OpenAI

client = OpenAI()


def talk(log):
    r = client.chat.completions.create(model="gpt-5.4-mini", messages=[{"role": "user", "content": log}], max_completion_tokens=50, stop=["Human:"])
    return log + r.choices[0].message.content


def parse(q):
    r = client.chat.completions.create(model="gpt-5.4-mini", messages=[{"role": "user", "content": q + "\nAnswer (yes or no):"}], max_completion_tokens=1)
    if r.choices[0].message.content in ("yes", "no"):
        return r.choices[0].message.content == "yes"
    return r.choices[0].message.content.startswith("yes")
