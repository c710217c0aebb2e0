def main(openai_client):
    ask = lambda prompt: openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": prompt}], max_completion_tokens=5)
    return ask("Hi").choices[0].message.content
