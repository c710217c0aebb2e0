def main(client):
    options = {"model": "gpt-5.4-mini", "max_completion_tokens": 5, "temperature": 0}
    one = client.chat.completions.create(messages=[{"role": "user", "content": "Hi"}], **options)
    two = client.chat.completions.create(messages=[{"role": "user", "content": "Ho"}], **options)
    return one.choices[0].message.content + two.choices[0].message.content
