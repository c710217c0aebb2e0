import openai as oa

complete = oa.ChatCompletion.create
print(complete(model="m", messages=[{"role": "user", "content": "x"}], max_completion_tokens=1)["choices"][0]["message"]["content"])
