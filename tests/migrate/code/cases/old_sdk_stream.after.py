import openai

for chunk in openai.ChatCompletion.create(model="gpt-5.4-mini", messages=[{"role": "user", "content": "Hi"}], max_completion_tokens=5, stream=True):
    if not chunk["choices"]:
        continue
    print(chunk["choices"][0]["delta"].get("content") or "", end="")
for event in openai.ChatCompletion.create(model="gpt-5.4-mini", messages=[{"role": "user", "content": "Hi"}], max_completion_tokens=5, stream=True):
    if not event.choices:
        continue
    print(event.choices[0].delta.get("content") or "", end="")
