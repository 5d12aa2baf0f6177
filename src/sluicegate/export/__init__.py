"""Models for other machines: plain C, WebAssembly and ONNX."""

from .c import write_c as write_c
from .network import Network as Network
from .network import of_folder as of_folder
from .network import of_layers as of_layers
