"""The text formats, one file per family; the folder is the registry."""
