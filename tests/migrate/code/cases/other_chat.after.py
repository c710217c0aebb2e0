from openai import OpenAI

client = OpenAI()
r = client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "x"}])
print(r.choices[0].message.content)
other.text = this.choices[0].text
