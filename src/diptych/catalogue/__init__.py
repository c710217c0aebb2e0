"""What a language model is: its encoding and counting rules, its last day, what replaces it."""
