"""Images, audio and files of messages: by address, as bytes, or from a file inside of one folder.

Rule: data cannot name a file. A text that is not an address is read as a path only where the program
gave a folder (``media=``), and only inside of it; a ``pathlib.Path`` comes from the program itself.
The type is that of the bytes, not that of the name.
"""

from __future__ import annotations

import base64
import mimetypes
import re
from pathlib import Path
from typing import Any, Final

from ..errors import TemplateError
from ..sandbox.limits import check_size

#: What files begin with, and their types (IANA media types; WHATWG MIME Sniffing, 2026).
_BEGINNINGS: Final = (
    (rb"\x89PNG\r\n\x1a\n", "image/png"),
    (rb"\xff\xd8\xff", "image/jpeg"),
    (rb"GIF8[79]a", "image/gif"),
    (rb"RIFF....WEBP", "image/webp"),
    (rb"RIFF....WAVE", "audio/wav"),
    (rb"BM", "image/bmp"),
    (rb"%PDF-", "application/pdf"),
    (rb"ID3|\xff[\xfb\xf3\xf2]", "audio/mpeg"),
    (rb"OggS", "audio/ogg"),
    (rb"fLaC", "audio/flac"),
    (rb"....ftyp(?:M4A)", "audio/mp4"),
    (rb"....ftyp", "video/mp4"),
    (rb"\x1aE\xdf\xa3", "video/webm"),
)
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")  # one letter is a drive
#: What tells a path from an address, the id of a file, or base64.
_PATH: Final = {
    "image": re.compile(r"[.\\/]|^file:", re.IGNORECASE),
    "audio": re.compile(r"[.\\]|^file:", re.IGNORECASE),
    "file": re.compile(r"^(?!files/).*[.\\/]|^file:", re.IGNORECASE),
}
#: What the Chat API calls the formats of audio.
_AUDIO: Final = {"audio/mpeg": "mp3", "audio/wav": "wav", "audio/x-wav": "wav"}


class FilePath(str):
    """The text of a path that the program gave as a ``pathlib.Path``."""

    __slots__ = ()


def sniffed(data: bytes) -> str | None:
    """Return the media type of bytes, None where their beginning says nothing.

    >>> sniffed(b"%PDF-1.7"), sniffed(b"text")
    ('application/pdf', None)
    """
    return next((kind for pattern, kind in _BEGINNINGS if re.match(pattern, data[:16], re.DOTALL)), None)


def as_data_url(data: bytes, kind: str) -> str:
    """Return a ``data:`` URL of bytes."""
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"


def address_of(tag: str, value: Any, folder: Path | None) -> str:
    """Return the address that a media tag writes: as it was given, or the contents of a file.

    Raises TemplateError for what is not text, a file outside of the folder, or an unknown type.
    """
    if not isinstance(value, str) or not value:
        hint = "give an address, a data: URL, bytes or a pathlib.Path"
        kind = "an empty text" if value == "" else f"a {type(value).__name__}"
        raise TemplateError(f"{{% {tag} %}} cannot take {kind}", hint=hint)
    if isinstance(value, FilePath):
        return _of_kind(tag, _read(tag, Path(value), folder))
    if folder is not None and value[:5].lower() == "file:":
        hint = "give the path of the file in the folder of media="
        raise TemplateError(f"{{% {tag} %}} cannot take a file: address", hint=hint)
    if folder is not None and not _SCHEME.match(value):
        return _of_kind(tag, _read(tag, folder / value, folder))
    if not _is_address(value) and _PATH[tag].search(value):
        hint = "give bytes, a pathlib.Path or an address, or the folder as media=…; on the command line: -p name=@FILE"
        raise TemplateError(f"{{% {tag} %}} cannot take the path {str(value)[:60]!r}", hint=hint)
    return _of_kind(tag, str.__str__(value))


def _is_address(value: str) -> bool:
    return _SCHEME.match(value) is not None and value[:5].lower() != "file:"


def _of_kind(tag: str, address: str) -> str:
    """Return an address. Raises TemplateError for the data of a sound in ``{% image %}``, and the like."""
    kind = re.match(r"data:([^;,]+)", address)
    if kind and tag in ("image", "audio") and not kind[1].strip().lower().startswith(f"{tag}/"):
        hint = f"write {{% {_tag_of(kind[1])} %}}"
        raise TemplateError(f"{{% {tag} %}} cannot take {kind[1]}", hint=hint)
    return address


def _tag_of(kind: str) -> str:
    top = kind.split("/")[0].strip().lower()
    return top if top in ("image", "audio") else "file"


def _read(tag: str, file: Path, folder: Path | None) -> str:
    resolved = file.resolve()
    if folder is not None and not resolved.is_relative_to(folder.resolve()):
        hint = f"it has to lie in {folder.as_posix()}, the folder of media="
        raise TemplateError(f"{{% {tag} %}}: {file.name!r} is outside of the folder", hint=hint)
    try:
        check_size(resolved.stat().st_size * 4 // 3)
        data = resolved.read_bytes()
    except OSError as error:
        raise TemplateError(f"{{% {tag} %}}: {file.name}: {error.strerror}") from None
    kind = sniffed(data) or mimetypes.guess_type(file.name)[0]
    if kind is None:
        raise TemplateError(f"{{% {tag} %}}: the type of {file.name!r} is not known", hint="give a data: URL")
    return as_data_url(data, kind)


def audio_of(address: str, wanted: str | None) -> tuple[str, str]:
    """Return the base64 text and the format of an audio address: that of a ``data:`` URL, else as it stands.

    >>> audio_of("data:audio/mpeg;base64,AAAA", None), audio_of("AAAA", "mp3")
    (('AAAA', 'mp3'), ('AAAA', 'mp3'))
    """
    head, comma, data = address.partition(",")
    if comma and head.startswith("data:") and head.endswith(";base64"):
        kind = head[5:-7].split(";")[0]
        return data, wanted or _AUDIO.get(kind, kind.removeprefix("audio/"))
    return address, wanted or "wav"
