import openai

openai.api_base = "http://localhost:8000/v1"
r = openai.Completion.create(engine="davinci", prompt="x", max_tokens=1)
print(r["choices"][0]["text"])
