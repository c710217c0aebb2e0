import openai

openai.api_base = "http://localhost:8000/v1"
r = openai.ChatCompletion.create(model="davinci", messages=[{"role": "user", "content": "x"}], max_tokens=1)
print(r["choices"][0]["message"]["content"])
