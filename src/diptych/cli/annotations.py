"""Annotations of GitHub's checks: a line of output per finding."""

from __future__ import annotations


def annotation(level: str, place: tuple[str, int, int], title: str, said: str) -> str:
    """Return a line that GitHub shows at a place: file, line and column.

    >>> annotation("warning", ("a.py", 3, 5), "suffix", "100 %")
    '::warning file=a.py,line=3,col=5,title=diptych suffix::100 %25\\n'
    """
    message = said.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    name, line, column = place
    file = name.replace("%", "%25").replace(",", "%2C").replace(":", "%3A")
    return f"::{level} file={file},line={line},col={column},title=diptych {title}::{message}\n"
