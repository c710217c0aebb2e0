"""OpenAI Chat."""
