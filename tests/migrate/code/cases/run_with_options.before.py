def main(openai_client):
    patient = openai_client.with_options(max_retries=1)
    reply = patient.completions.create(model="m", prompt="Hi", max_tokens=5, timeout=30)
    return openai_client.with_options(timeout=9).completions.create(model="m", prompt=reply.choices[0].text, max_tokens=5).choices[0].text
