from langchain_openai import ChatOpenAI

llm = ChatOpenAI(temperature=0, model="gpt-5.4-mini", max_tokens=256)
print(llm.invoke("a").content)
llm = ChatOpenAI(temperature=1, model="gpt-5.4-mini", max_tokens=256)
for text in ("a", "b"):
    print(llm.predict(text))
    print(llm.batch([text])[0].content)
