"""One rule a file; the folder is the list of rules."""
