def ask(openai_client, q):
	if q:
		r = openai_client.chat.completions.create(
			model="m",
			messages=[{"role": "user", "content": q}],
			max_completion_tokens=16,
		)
		return r.choices[0].message.content
	text = ""
	for chunk in openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": q}], max_completion_tokens=1, stream=True):
		if not chunk.choices:
			continue
		text += chunk.choices[0].delta.content or ""
	return text
