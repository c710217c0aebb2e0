# refused: suffix@5
from openai import Completion, ChatCompletion

a = ChatCompletion.create(model="m", messages=[{"role": "user", "content": "x"}], max_completion_tokens=1)
b = Completion.create(model="m", prompt="x", max_tokens=1, suffix="y")
print(a.choices[0].message.content, b.choices[0].text)
