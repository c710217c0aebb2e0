def main(openai_client):
    choices = openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}], max_completion_tokens=5).choices
    choice = choices[0]
    if choice.finish_reason == "length":
        return choice.message.content
    return choices[-1].message.content.strip()
