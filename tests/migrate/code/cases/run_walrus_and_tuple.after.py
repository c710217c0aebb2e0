def main(openai_client):
    if (reply := openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}], max_completion_tokens=5)) and reply.choices:
        text = reply.choices[0].message.content
    one, two = openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": "1"}], max_completion_tokens=5), 2
    return text + one.choices[0].message.content + str(two)
