# refused: result-escapes@4
def ask(openai_client, q):
    # a stream is no answer
    return openai_client.completions.create(model="m", prompt=q, max_tokens=1, stream=True).choices[0].text
