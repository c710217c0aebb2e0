def main(client):
    return f"<{client.completions.create(model='m', prompt='Hi', max_tokens=5).choices[0].text}>"
