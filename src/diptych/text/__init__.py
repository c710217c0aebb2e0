"""Prompt texts: grammars, one reader and one writer for all of them, speaker labels."""
