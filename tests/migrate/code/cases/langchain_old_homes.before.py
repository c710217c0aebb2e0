from langchain.llms import OpenAI
from langchain_community.llms import Cohere, OpenAI as CommunityLLM

llm = OpenAI(
    model_name="text-davinci-003",
    max_tokens=-1,
)
print(llm("Hi"))
other = CommunityLLM(model_name="my-model", max_tokens=10)
print(other.invoke("Hi"), Cohere)
