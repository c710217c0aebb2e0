def main(openai_client):
    q = "Why?"
    reply = openai_client.completions.create(
        model="m",
        prompt=f"<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n{q}<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
        max_tokens=5,
    )
    return reply.choices[0].text
