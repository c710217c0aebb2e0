"""Errors of every API in the shape of every other: each leaf is carried or told, and the SDKs read what is written."""

import json

import pytest

from diptych import LossError, convert, convert_response, convert_stream
from diptych.apis.failures import SHAPES, STATUSES, failure_api, read_failure, write_failure
from diptych.conversion.responses import answering
from diptych.response import Failure

from ..oracles.laws import changed, is_under, leaves, places

APIS = sorted(SHAPES)
#: Errors as servers send them, with what each means.
BODIES = {
    "openai quota": ("chat", "billing", {"error": {"message": "You exceeded w1", "type": "insufficient_quota", "param": None, "code": "insufficient_quota"}}),
    "openai key": ("chat", "authentication", {"error": {"message": "Incorrect w1", "type": "invalid_request_error", "param": None, "code": "invalid_api_key"}}),
    "openai window": ("chat", "invalid_request", {"error": {"message": "too long w1", "type": "invalid_request_error", "param": "messages", "code": "context_length_exceeded"}}),
    "llama.cpp": ("chat", "overloaded", {"error": {"code": 503, "message": "Loading w1", "type": "unavailable_error"}}),
    "llama.cpp window": ("chat", "invalid_request", {"error": {"code": 400, "message": "exceeds w1", "type": "exceed_context_size_error", "n_prompt_tokens": 9000, "n_ctx": 512}}),
    "vllm": ("chat", "invalid_request", {"object": "error", "message": "bad w1", "type": "BadRequestError", "param": None, "code": 400}),
    "fastapi": ("chat", None, {"detail": "Not found w1"}),
    "fastapi list": ("chat", None, {"detail": [{"loc": ["body", "messages"], "msg": "field required w1"}]}),
    "anthropic": ("anthropic", "overloaded", {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded w1"}, "request_id": "req_1"}),
    "anthropic plain": ("anthropic", "invalid_request", {"type": "error", "error": {"type": "invalid_request_error", "message": "max_tokens w1"}}),
    "gemini": ("gemini", "rate_limit", {"error": {"code": 429, "message": "quota w1", "status": "RESOURCE_EXHAUSTED", "details": [{"@type": "type.googleapis.com/google.rpc.Help"}]}}),
    "gemini other word": ("gemini", "invalid_request", {"error": {"code": 400, "message": "billing w1", "status": "FAILED_PRECONDITION"}}),
    "bedrock": ("bedrock", "rate_limit", {"__type": "ThrottlingException", "message": "Too many w1"}),
    "bedrock named": ("bedrock", "invalid_request", {"__type": "com.amazonaws.bedrock#ValidationException", "message": "bad w1"}),
    "boto3": ("bedrock", "permission", {"Error": {"Code": "AccessDeniedException", "Message": "no access w1"}, "ResponseMetadata": {"HTTPStatusCode": 403}}),
    "ollama": ("ollama", None, {"error": "model 'w1' not found"}),
}  # fmt: skip


def test_every_api_has_its_shape():
    assert {*SHAPES} == {*answering()}


@pytest.mark.parametrize("name", BODIES)
def test_an_error_is_known_and_says_what_happened(name):
    api, kind, body = BODIES[name]
    assert failure_api(body) == api
    failure = read_failure(body, api)
    assert (failure.kind, "w1" in failure.message) == (kind, True)


@pytest.mark.parametrize("name", BODIES)
def test_the_same_api_in_and_out_is_the_identity(name):
    api, _, body = BODIES[name]
    made = convert_response(body, to=api, source=api)
    assert (made.output, made.losses) == (body, ())
    assert write_failure(read_failure(body, api), api)[0] == body


@pytest.mark.parametrize("target", APIS)
@pytest.mark.parametrize("name", BODIES)
def test_every_leaf_is_carried_or_told(name, target):
    source, _, body = BODIES[name]
    made = convert_response(body, to=target, on_loss="ignore")
    assert "w1" in json.dumps(made.output)
    told = [loss.path for loss in made.losses]
    known = {path for path, _ in leaves(body)}
    assert all(any(is_under(path, told_one) for path in known) for told_one in told)
    for (path, _), way in zip(leaves(body), places(body), strict=True):
        is_told = path in ("$.type", "$.object") or any(is_under(path, one) for one in told if one != "$")
        again = is_told or convert_response(changed(body, way), to=target, source=source, on_loss="ignore")
        assert is_told or (again.output, again.losses) != (made.output, made.losses), path


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("kind", STATUSES)
def test_a_kind_is_written_as_what_is_read_again(api, kind):
    body, losses = write_failure(Failure("no", kind), api)
    read = read_failure(body, api)
    assert read.message == "no"
    assert read.kind == kind or losses or api == "ollama"


@pytest.mark.parametrize("api", sorted({*APIS} - {"ollama"}))
def test_an_edit_shows(api):
    body = write_failure(Failure("no", "invalid_request"), api)[0]
    read = read_failure(body, api)
    assert write_failure(read._replace(message="why not"), api)[0] == json.loads(json.dumps(body).replace('"no"', '"why not"'))
    assert read_failure(write_failure(read._replace(kind="rate_limit"), api)[0], api).kind == "rate_limit"


def test_the_http_status_says_what_no_word_says():
    failure = read_failure({"error": "no such model"}, "ollama", status=404)
    assert write_failure(failure, "anthropic")[0]["error"]["type"] == "not_found_error"
    assert read_failure({"message": "denied"}, "bedrock", status=403).kind == "permission"


def test_what_an_error_loses_raises():
    with pytest.raises(LossError, match=r"\$\.request_id"):
        convert_response(BODIES["anthropic"][2], to="chat")
    assert convert_response(BODIES["anthropic plain"][2], to="gemini").output["error"]["code"] == 400


def test_an_answer_that_failed_is_an_error_elsewhere():
    body = {"object": "response", "id": "resp_1", "status": "failed", "error": {"code": "server_error", "message": "sorry"}, "output": []}
    made = convert_response(body, to="anthropic", on_loss="ignore")
    assert made.output == {"type": "error", "error": {"type": "api_error", "message": "sorry"}}
    assert [loss.path for loss in made.losses] == ["$.id"]
    assert convert_response(body, to="responses").output == body
    assert convert_response(body, to="chat", on_loss="ignore").output["error"] == {"type": None, "param": None, "code": "server_error", "message": "sorry"}


def test_the_door_of_all_formats_knows_errors():
    assert convert(BODIES["gemini"][2], target="anthropic", on_loss="ignore").output["error"]["type"] == "rate_limit_error"
    assert convert_response([BODIES["gemini"][2]], to="chat", on_loss="ignore").output["error"]["code"] == "rate_limit_exceeded"


def test_the_sdks_read_what_is_written():
    anthropic, openai = pytest.importorskip("anthropic"), pytest.importorskip("openai")
    from anthropic.types import ErrorResponse

    written = {api: convert_response(BODIES["gemini other word"][2], to=api, on_loss="ignore").output for api in APIS}
    assert ErrorResponse.model_validate(written["anthropic"]).error.type == "invalid_request_error"
    assert openai.types.ErrorObject.model_validate(written["chat"]["error"]).message == "billing w1"
    parsers = pytest.importorskip("botocore.parsers")
    parsed = parsers.create_parser("rest-json").parse(
        {"status_code": 400, "headers": {}, "body": json.dumps(written["bedrock"]).encode()}, None
    )
    assert parsed["Error"] == {"Code": "ValidationException", "Message": "billing w1"}
    assert anthropic.APIStatusError


STREAMED = {
    "chat": ({"error": {"message": "slow w1", "type": "requests", "code": "rate_limit_exceeded", "hint": "wait"}}, "$[0].error.hint"),
    "anthropic": ({"type": "error", "error": {"type": "rate_limit_error", "message": "slow w1", "hint": "wait"}}, "$[0].error.hint"),
    "gemini": ({"error": {"code": 429, "message": "slow w1", "status": "RESOURCE_EXHAUSTED", "hint": "x"}}, "$[0].error.hint"),
    "bedrock": ({"throttlingException": {"message": "slow w1", "hint": "wait"}}, "$[0].throttlingException.hint"),
    "responses": ({"type": "error", "code": "rate_limit_exceeded", "message": "slow w1", "param": None, "hint": "x"}, "$[0].hint"),
}  # fmt: skip


@pytest.mark.parametrize("target", APIS)
@pytest.mark.parametrize("source", STREAMED)
def test_an_error_in_a_stream_is_the_error_of_its_target(source, target, recwarn):
    event, lost = STREAMED[source]
    found = list(convert_stream([event], to=target, source=source, on_loss="report"))
    assert "slow w1" in json.dumps(found[-1])
    if target in STREAMED and SHAPES[target] is not SHAPES[source]:
        words = {"chat": "rate_limit_exceeded", "responses": "rate_limit_exceeded", "anthropic": "rate_limit_error"}
        assert words.get(target, {"gemini": "RESOURCE_EXHAUSTED", "bedrock": "throttlingException"}.get(target)) in json.dumps(found)
        assert any(lost in str(one.message) for one in recwarn)
