from openai import openai

completion = openai.Completion()


def reply(question):
    answer = completion.create(engine="text-davinci-002", prompt=f"Q: {question}\nA:", max_tokens=30)
    return answer.choices[0].text.strip()


openai.Completion.create(model="text-davinci-003", prompt="", max_tokens=256)
