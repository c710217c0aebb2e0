# refused: suffix@5
from openai import Completion

a = Completion.create(model="m", prompt="x", max_tokens=1)
b = Completion.create(model="m", prompt="x", max_tokens=1, suffix="y")
print(a.choices[0].text, b.choices[0].text)
