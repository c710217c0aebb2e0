def main(client):
    completions = client.chat.completions
    ask = client.chat.completions.create
    one = completions.create(model="m", messages=[{"role": "user", "content": "Hi"}], max_completion_tokens=5)
    two = ask(model="m", messages=[{"role": "user", "content": "Ho"}], max_completion_tokens=5)
    return one.choices[0].message.content + two.choices[0].message.content
