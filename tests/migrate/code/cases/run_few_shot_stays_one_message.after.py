def main(openai_client):
    return openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Q: 1+1?\nA: 2\n\nQ: 2+2?\nA:"}], max_completion_tokens=5).choices[0].message.content
