MODEL = "gpt-3.5-turbo-instruct"


def main(client):
    text = client.chat.completions.create(model="gpt-5.4-mini", messages=[{"role": "user", "content": "Hi"}], max_completion_tokens=5).choices[0].message.content
    return f"{len(MODEL)}: {text}"
