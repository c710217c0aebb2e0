def main(client):
    response = client.completions.create(model="m", prompt="Hi", max_tokens=5)
    response = response.choices[0].text
    response = response.strip()
    return response
