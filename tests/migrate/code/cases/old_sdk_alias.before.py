import openai as oa

complete = oa.Completion.create
print(complete(model="m", prompt="x", max_tokens=1)["choices"][0]["text"])
