def main(openai_client):
    r = openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}], max_completion_tokens=5); text = r.choices[0].message.content; del r
    return text
