# refused: mock-shape@22
import httpx
import responses
import respx


def test_respx():
    respx.post("https://api.openai.com/v1/completions").mock(
        return_value=httpx.Response(200, json={"object": "text_completion", "choices": [{"text": "hi", "index": 0}]})
    )


def test_responses(requests_mock):
    responses.add(responses.POST, "https://api.openai.com/v1/completions", json={"choices": [{"text": "hi"}]})
    requests_mock.post("https://api.openai.com/v1/completions", json={"choices": [{"text": "hi"}]})


def test_refused(requests_mock):
    # the body is read from a file
    body = open("x.json").read()
    del body
    requests_mock.post("https://api.openai.com/v1/completions", text="{}")
