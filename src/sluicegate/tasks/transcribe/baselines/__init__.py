"""The simple methods that a transcriber is set beside: templates by time warping, and a hidden Markov model."""
