def main(openai_client):
    options = {"model": "m", "messages": [{"role": "user", "content": "one two three"}]}
    one = openai_client.chat.completions.create(**options, max_completion_tokens=16)
    two = openai_client.chat.completions.create(**options, max_completion_tokens=2)
    return one.choices[0].message.content + two.choices[0].message.content
