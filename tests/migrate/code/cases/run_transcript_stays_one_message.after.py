def main(openai_client):
    q = "Why?"
    reply = openai_client.chat.completions.create(
        model="m", messages=[{"role": "user", "content": f"Human: Hi\nAI: Hello\nHuman: {q}\nAI:"}], max_completion_tokens=5, stop=["\nHuman: W", "AI:"]
    )
    return reply.choices[0].message.content
