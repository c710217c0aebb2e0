def main(openai_client, question="Why?"):
    prompt = [{"role": "system", "content": "Be terse."}, {"role": "user", "content": f"{question}"}]
    return openai_client.chat.completions.create(model="m", messages=prompt, max_completion_tokens=5, stop=["END"]).choices[0].message.content
