# refused: unpacked-arguments@6
def ask(openai_client, q):
    options = {"model": "m"}
    send(options)
    # the dict has another use
    return openai_client.completions.create(prompt=q, **options).choices[0].text
