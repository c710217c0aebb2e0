import openai

openai.api_type = "azure"
r = openai.Completion.create(engine="my-deployment", prompt="Hi", max_tokens=5)
s = openai.Completion.create(deployment_id="text-davinci-003", prompt="Hi", max_tokens=5)
print(r["choices"][0]["text"], s.choices[0].text)
