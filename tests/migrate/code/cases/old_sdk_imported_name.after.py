from openai import ChatCompletion, Embedding
from openai import ChatCompletion as Complete

a = ChatCompletion.create(model="m", messages=[{"role": "user", "content": "x"}], max_completion_tokens=1)
b = Complete.create(model="m", messages=[{"role": "user", "content": "x"}], max_completion_tokens=1)
print(a.choices[0].message.content, b.choices[0].message.content, Embedding)
