def main(openai_client):
    stream = openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": "one two three"}], max_completion_tokens=5, stream=True)
    return "".join(chunk.choices[0].delta.content or "" if chunk.choices else "" for chunk in stream)
