"""The layers: `torch.nn`'s recurrent modules, with a few options more, and two that it does not have."""

from .backend import backend_of as backend_of
from .cells import GRUCell as GRUCell
from .cells import LSTMCell as LSTMCell
from .cells import RNNCell as RNNCell
from .gru import GRU as GRU
from .ligru import LiGRU as LiGRU
from .lstm import LSTM as LSTM
from .mingru import MinGRU as MinGRU
from .mingru import MinGRUCell as MinGRUCell
from .quantization import quantize as quantize
from .rnn import RNN as RNN
