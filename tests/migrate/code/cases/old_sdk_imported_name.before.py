from openai import Completion, Embedding
from openai import Completion as Complete

a = Completion.create(model="m", prompt="x", max_tokens=1)
b = Complete.create(model="m", prompt="x", max_tokens=1)
print(a.choices[0].text, b.choices[0].text, Embedding)
