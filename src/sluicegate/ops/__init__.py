"""What the layers compute, as functions of tensors: start with `reference`, the equations."""

from . import reference as reference
