"""Models for other machines: plain C, WebAssembly and ONNX."""

from .c import write_c as write_c
from .exporting import export as export
from .network import Network as Network
from .network import of_folder as of_folder
from .network import of_layers as of_layers
from .of_keras import of_keras as of_keras
from .onnx import write_onnx as write_onnx
from .quantizing import in_int8 as in_int8
from .wasm import write_wasm as write_wasm
