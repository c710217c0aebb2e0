def main(openai_client):
    completions = openai_client.chat.completions
    ask = openai_client.chat.completions.create
    one = completions.create(model="m", messages=[{"role": "user", "content": "Hi"}], max_completion_tokens=5)
    two = ask(model="m", messages=[{"role": "user", "content": "Ho"}], max_completion_tokens=5)
    return one.choices[0].message.content + two.choices[0].message.content
