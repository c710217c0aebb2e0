"""Rows of training data, one file per format, and the rules of those who take them."""
