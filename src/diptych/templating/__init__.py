"""Templates in, segments out: who wrote each character is known to the end.

``engine`` compiles and runs, ``plan`` is the fast path, ``assemble`` makes messages.
"""
