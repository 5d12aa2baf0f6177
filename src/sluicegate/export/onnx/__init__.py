"""A model as an ONNX file that is fed in chunks: the states go in and come out beside the rows."""

from .writing import write_onnx as write_onnx
