from langchain_openai import ChatOpenAI, OpenAIEmbeddings

llm = ChatOpenAI(model="gpt-5.4-mini", temperature=0, max_tokens=256)
bare = ChatOpenAI(model="gpt-5.4-mini", max_tokens=256)
print(llm.invoke("Hi").content.strip(), bare.invoke("Ho").content, OpenAIEmbeddings)
print(llm.predict("Hi"))
texts = [message.content for message in llm.batch(["a", "b"])]
for part in (message.content for message in llm.stream("Hi")):
    print(part)


async def more():
    async for part in (message.content async for message in llm.astream("Hi")):
        print(part)
    return (await llm.ainvoke("Hi")).content
