"""Pictures of rendered templates: one set of autoescaped partials, and the terminal."""
