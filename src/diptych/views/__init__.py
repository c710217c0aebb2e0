"""Values as HTML and terminal text: one set of autoescaped partials."""
