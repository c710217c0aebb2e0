def main(openai_client):
    choices = openai_client.completions.create(model="m", prompt="Hi", max_tokens=5).choices
    choice = choices[0]
    if choice.finish_reason == "length":
        return choice.text
    return choices[-1].text.strip()
