"""Pictures of what Diptych did: one document of plain data each, and one self-contained page of HTML.

A document is JSON with a ``kind``; :func:`page.page_of` makes its page. The same document is what
``diptych report --json`` prints.
"""
