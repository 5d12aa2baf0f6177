"""RNN, LSTM or GRU: the comparison on one's own data, and what is said of them, put to the test."""

from .claims import check_claims as check_claims
from .comparing import compare as compare
