import openai

for chunk in openai.Completion.create(model="davinci-002", prompt="Hi", max_tokens=5, stream=True):
    print(chunk["choices"][0]["text"], end="")
for event in openai.Completion.create(model="davinci-002", prompt="Hi", max_tokens=5, stream=True):
    print(event.choices[0].text, end="")
