"""Formats: N readers and N writers around one conversation, instead of N² converters."""
