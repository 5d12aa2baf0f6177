"""The layers: `torch.nn`'s recurrent modules, with the same names, parameters and calls, and a few options more."""

from .backend import backend_of as backend_of
from .cells import GRUCell as GRUCell
from .cells import LSTMCell as LSTMCell
from .cells import RNNCell as RNNCell
from .gru import GRU as GRU
from .lstm import LSTM as LSTM
from .rnn import RNN as RNN
