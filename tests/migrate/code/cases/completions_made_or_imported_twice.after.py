from openai import openai

completion = openai.ChatCompletion()


def reply(question):
    answer = completion.create(model="gpt-5.4-mini", messages=[{"role": "user", "content": f"Q: {question}\nA:"}], max_completion_tokens=30)
    return answer.choices[0].message.content.strip()


openai.ChatCompletion.create(model="gpt-5.4-mini", messages=[{"role": "user", "content": ""}], max_completion_tokens=256)
