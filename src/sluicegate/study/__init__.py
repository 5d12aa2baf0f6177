"""RNN, LSTM or GRU: the comparison that anyone can make on their own data."""

from .comparing import compare as compare
