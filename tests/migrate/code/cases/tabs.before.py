def ask(client, q):
	if q:
		r = client.completions.create(
			model="m",
			prompt=q,
		)
		return r.choices[0].text
	text = ""
	for chunk in client.completions.create(model="m", prompt=q, max_tokens=1, stream=True):
		text += chunk.choices[0].text
	return text
