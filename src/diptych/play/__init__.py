"""A local page to edit a template and its inputs, with everything Diptych knows of them beside it.

``work`` computes what the page shows, ``files`` opens and saves templates of one folder, ``door`` decides who may
ask, ``app`` ties them to paths, ``run`` serves. The page itself is plain HTML, CSS and one module of JavaScript.
"""
