from langchain_openai import OpenAI

llm = OpenAI(temperature=0)
print(llm.invoke("a"))
llm = OpenAI(temperature=1)
for text in ("a", "b"):
    print(llm.predict(text))
    print(llm.generate([text]).generations[0][0].text)
