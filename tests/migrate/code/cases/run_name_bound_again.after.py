def main(openai_client):
    response = openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}], max_completion_tokens=5)
    response = response.choices[0].message.content
    response = response.strip()
    return response
