from langchain_openai import OpenAI, OpenAIEmbeddings

llm = OpenAI(model="gpt-3.5-turbo-instruct", temperature=0, best_of=1)
bare = OpenAI()
print(llm.invoke("Hi").strip(), bare.invoke("Ho"), OpenAIEmbeddings)
print(llm.predict("Hi"))
texts = llm.batch(["a", "b"])
for part in llm.stream("Hi"):
    print(part)


async def more():
    async for part in llm.astream("Hi"):
        print(part)
    return await llm.ainvoke("Hi")
