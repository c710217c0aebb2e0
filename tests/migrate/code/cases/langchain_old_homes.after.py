from langchain.chat_models import ChatOpenAI
from langchain_community.chat_models import ChatOpenAI as CommunityLLM
from langchain_community.llms import Cohere

llm = ChatOpenAI(
    model_name="gpt-5.4-mini",
)
print(llm.invoke("Hi").content)
other = CommunityLLM(model_name="my-model", max_tokens=10)
print(other.invoke("Hi").content, Cohere)
