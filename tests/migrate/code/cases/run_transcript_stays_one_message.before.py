def main(openai_client):
    q = "Why?"
    reply = openai_client.completions.create(
        model="m", prompt=f"Human: Hi\nAI: Hello\nHuman: {q}\nAI:", max_tokens=5, stop=["\nHuman: W", "AI:"]
    )
    return reply.choices[0].text
