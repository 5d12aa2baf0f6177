"""Prefix beam search: from the probabilities of tokens in each frame to words."""
