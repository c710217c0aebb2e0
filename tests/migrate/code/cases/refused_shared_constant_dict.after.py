# refused: unpacked-arguments@6
def ask(client, q):
    options = {"model": "m"}
    print(options)
    # the dict has another use
    return client.completions.create(prompt=q, **options).choices[0].text
