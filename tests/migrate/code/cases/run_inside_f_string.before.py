def main(openai_client):
    return f"<{openai_client.completions.create(model='m', prompt='Hi', max_tokens=5).choices[0].text}>"
