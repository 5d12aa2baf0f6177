"""A model as WebAssembly, made of the same C, and one page that runs it in a browser without a network."""

from .writing import write_wasm as write_wasm
