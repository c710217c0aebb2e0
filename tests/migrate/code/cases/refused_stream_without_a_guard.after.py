# refused: result-escapes@4 result-escapes@8
def ask(openai_client, q):
    # the first choice is taken, whatever comes
    for event in openai_client.completions.create(model="m", prompt=q, max_tokens=1, stream=True):
        print(event.id)
        choice = event.choices[0]
        print(choice.text)
    for event in openai_client.completions.create(model="m", prompt=q, max_tokens=1, stream=True):
        (choice,) = event.choices
        print(choice.text)
