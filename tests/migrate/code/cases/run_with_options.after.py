def main(openai_client):
    patient = openai_client.with_options(max_retries=1)
    reply = patient.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}], max_completion_tokens=5, timeout=30)
    return openai_client.with_options(timeout=9).chat.completions.create(model="m", messages=[{"role": "user", "content": reply.choices[0].message.content}], max_completion_tokens=5).choices[0].message.content
