"""Properties of chat templates, one file each; the folder is the list."""
