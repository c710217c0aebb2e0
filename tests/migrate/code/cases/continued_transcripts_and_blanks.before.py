from openai import OpenAI

client = OpenAI()


def talk(log):
    r = client.completions.create(model="gpt-3.5-turbo-instruct", prompt=log, max_tokens=50, stop=["Human:"])
    return log + r.choices[0].text


def parse(q):
    r = client.completions.create(model="gpt-3.5-turbo-instruct", prompt=q + "\nAnswer (yes or no):", max_tokens=1)
    if r.choices[0].text in (" yes", " no"):
        return r.choices[0].text == " yes"
    return r.choices[0].text.startswith("\n\nyes")
