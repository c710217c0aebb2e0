import openai

openai.api_type = "azure"
r = openai.ChatCompletion.create(engine="my-deployment", messages=[{"role": "user", "content": "Hi"}], max_tokens=5)
s = openai.ChatCompletion.create(deployment_id="text-davinci-003", messages=[{"role": "user", "content": "Hi"}], max_tokens=5)
print(r["choices"][0]["message"]["content"], s.choices[0].message.content)
