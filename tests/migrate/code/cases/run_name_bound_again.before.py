def main(openai_client):
    response = openai_client.completions.create(model="m", prompt="Hi", max_tokens=5)
    response = response.choices[0].text
    response = response.strip()
    return response
