# refused: nested-quotes@4
def ask(openai_client):
    # two kinds of quotes are open here
    return f"{f'{openai_client.completions.create(model=m, prompt=p, max_tokens=1).choices[0].text}'}"
