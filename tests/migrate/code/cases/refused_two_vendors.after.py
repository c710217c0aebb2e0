# refused: receiver-unknown@6
import anthropic
import openai

def ask(client, q):
    return client.completions.create(model="m", prompt=q, max_tokens=1).choices[0].text

def sure(client: openai.OpenAI, q):
    return client.chat.completions.create(model="m", messages=[{"role": "user", "content": q}], max_completion_tokens=1).choices[0].message.content
