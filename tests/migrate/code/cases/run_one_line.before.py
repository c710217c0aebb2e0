def main(openai_client):
    r = openai_client.completions.create(model="m", prompt="Hi", max_tokens=5); text = r.choices[0].text; del r
    return text
