"""Converse calls: the same API in and out is the identity; bytes and base64; what other APIs are told."""

import base64

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import diptych
from diptych.apis.bedrock.media import as_json
from diptych.apis.bedrock.request import read_request, write_request
from diptych.model import AudioPart, FilePart, ImagePart, ReasoningPart

PNG = base64.b64encode(b"png").decode()


def said(*blocks):
    return {"messages": [{"role": "user", "content": [*blocks]}]}


@pytest.mark.parametrize(("block", "part"), [
    ({"image": {"format": "png", "source": {"bytes": b"png"}}}, ImagePart(f"data:image/png;base64,{PNG}")),
    ({"image": {"format": "png", "source": {"bytes": PNG}}}, ImagePart(f"data:image/png;base64,{PNG}")),
    ({"document": {"format": "md", "name": "n", "source": {"bytes": b"png"}}},
     FilePart(f"data:text/markdown;base64,{PNG}", "n")),
    ({"document": {"format": "txt", "name": "n", "source": {"text": "png"}}},
     FilePart(f"data:text/plain;base64,{PNG}", "n")),
    ({"video": {"format": "mp4", "source": {"bytes": b"png"}}}, FilePart(f"data:video/mp4;base64,{PNG}")),
    ({"audio": {"format": "mp3", "source": {"bytes": b"png"}}}, AudioPart(PNG, "mp3")),
])  # fmt: skip
def test_media(block, part):
    body = said(block)
    request = read_request(body)
    found = request.conversation.messages[0].parts[0]
    assert type(part)(**{name: getattr(found, name) for name in part.__slots__ if name != "native"}) == part
    assert write_request(request) == body


def test_media_become_bytes_for_boto3_and_base64_in_json():
    chat = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": f"data:image/jpg;base64,{PNG}"}}]}]
    body = diptych.convert(chat, target="bedrock", on_loss="ignore").output
    assert body == said({"image": {"format": "jpeg", "source": {"bytes": b"png"}}})
    raw = said({"image": {"format": "jpeg", "source": {"bytes": PNG}}})
    assert as_json(body) == raw == diptych.convert(chat, target="bedrock", on_loss="ignore", binary="base64").output
    with pytest.raises(diptych.FormatError, match="bytes or base64"):
        diptych.convert(chat, target="bedrock", on_loss="ignore", binary="hex")


def test_media_in_the_result_of_a_tool():
    blocks = [{"text": "a"}, {"image": {"format": "png", "source": {"bytes": b"png"}}}, {"json": {"x": [1]}}]
    body = said({"toolResult": {"toolUseId": "t", "content": blocks, "status": "error"}})
    request = read_request(body)
    message = request.conversation.messages[0]
    assert (message.role, message.is_error, len(message.parts)) == ("tool", True, 3)
    assert write_request(request) == body


def test_reasoning_goes_back_to_its_origin_alone():
    thought = {"reasoningContent": {"reasoningText": {"text": "t", "signature": "S"}}}
    body = {"messages": [{"role": "assistant", "content": [thought, {"text": "a"}]}]}
    request = read_request(body)
    assert isinstance(request.conversation.messages[0].parts[0], ReasoningPart)
    assert write_request(request) == body
    found = diptych.convert(body, source="bedrock", target="anthropic", on_loss="ignore")
    assert "S" not in str(found.output)
    assert ("$.messages[0].content[0]", "reasoning-dropped") in [(loss.path, loss.kind) for loss in found.losses]


@pytest.mark.parametrize("choice", [{"auto": {}}, {"any": {}}, {"tool": {"name": "f"}}, {"new": {}}])
def test_a_choice_of_tools(choice):
    tool = {"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object"}}, "strict": True}}
    body = said({"text": "q"}) | {"toolConfig": {"tools": [tool, {"cachePoint": {"type": "default"}}], "toolChoice": choice}}
    assert write_request(read_request(body)) == body


def shapes():
    """Return the strategy of Converse calls that the service model of botocore describes."""
    loaders = pytest.importorskip("botocore.loaders")
    from botocore.model import ServiceModel

    model = ServiceModel(loaders.Loader().load_service_model("bedrock-runtime", "service-2"))
    return of(model.shape_for("ConverseRequest"))


JSON = st.recursive(st.booleans() | st.integers(-9, 9) | st.text(max_size=3), lambda inner: st.dictionaries(st.text(max_size=3), inner, max_size=2), max_leaves=4)  # fmt: skip
PLAIN = {"boolean": st.booleans(), "integer": st.integers(1, 99), "long": st.integers(1, 99), "blob": st.binary(max_size=4),
         "float": st.floats(0, 1), "double": st.floats(0, 1)}  # fmt: skip


def of(shape, depth=0):
    if getattr(shape, "is_document_type", False):
        return JSON
    if shape.type_name == "string":
        return st.sampled_from(shape.enum) if shape.enum else st.text(min_size=1, max_size=4)
    if shape.type_name == "list":
        return st.lists(of(shape.member, depth + 1), max_size=2 if depth < 6 else 0)
    if shape.type_name == "map":
        return st.dictionaries(st.text(max_size=3), of(shape.value, depth + 1), max_size=2)
    if shape.type_name != "structure":
        return PLAIN[shape.type_name]
    fields = {name: st.deferred(lambda member=member: of(member, depth + 1)) for name, member in shape.members.items()}
    if getattr(shape, "is_tagged_union", False):
        return st.sampled_from(sorted(fields)).flatmap(lambda name: st.fixed_dictionaries({name: fields[name]}))
    required = {name: fields.pop(name) for name in shape.required_members}
    return st.fixed_dictionaries(required, optional=fields)


def test_calls_of_the_sdk_are_the_identity():
    @settings(suppress_health_check=list(HealthCheck))
    @given(shapes())
    def identity(body):
        body = {"messages": [], **body}
        assert write_request(read_request(body)) == body

    identity()
