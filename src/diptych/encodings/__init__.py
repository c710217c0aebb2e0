"""Token encodings from packed ranks, and token ids of texts."""
