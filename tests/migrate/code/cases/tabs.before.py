def ask(openai_client, q):
	if q:
		r = openai_client.completions.create(
			model="m",
			prompt=q,
		)
		return r.choices[0].text
	text = ""
	for chunk in openai_client.completions.create(model="m", prompt=q, max_tokens=1, stream=True):
		text += chunk.choices[0].text
	return text
