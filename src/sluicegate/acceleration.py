"""Recurrent layers of other people's, made faster: PyTorch's and Keras', in a model, in a block or in a program.

A framework is none of our business until the program has imported it: nothing here imports one, and a block that
begins before a framework is there takes care of its layers as soon as it is.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar

from .imports import when_imported
from .swaps import Summary

M = TypeVar("M")


def accelerate(model: M) -> M:
    """Swap every recurrent layer of a model of PyTorch's or of Keras', in place, for Sluicegate's of the same name.

    In a module of PyTorch's it swaps each `torch.nn.GRU`, `LSTM`, `RNN` and cell; in a model of Keras' each
    `keras.layers.GRU`, `LSTM`, `SimpleRNN` and `RNN`. The parameters stay the very same objects, so that optimizers,
    hooks, the `state_dict`, files of weights and every reference to a layer go on as before; a layer used at two
    places is swapped once, and to accelerate twice is to do it once. The logger `sluicegate` tells each layer swapped
    (info) and each one left with the reason (warning): another type than float32, another device than the CPU, a
    projection, a scripted or a quantised layer, a subclass that computes otherwise, a recurrent layer that is made of
    none of these classes. `sluicegate.nn.swap.plan` tells the same of a module beforehand and afterwards.

    A `state_dict` knows nothing of all this, nor does a `.keras` file. A pickle of the whole model names the new
    classes: to read it, Sluicegate must be installed. `sluicegate.nn.swap.restore` brings PyTorch's classes back.

    Args:
        model: Any module, or a recurrent layer itself; any model or layer of Keras'.

    Returns:
        The model.

    Raises:
        ConfigError: `model` is neither.

    Example:
        >>> import torch, sluicegate
        >>> model = torch.nn.ModuleDict({"encoder": torch.nn.GRU(3, 5), "head": torch.nn.Linear(5, 1)})
        >>> weight = model["encoder"].weight_hh_l0
        >>> sluicegate.accelerate(model) is model
        True
        >>> type(model["encoder"]) is sluicegate.GRU, model["encoder"].weight_hh_l0 is weight
        (True, True)
    """
    if "keras" in sys.modules:
        from .keras.swap import accelerate as accelerate_keras
        from .keras.swap import is_keras

        if is_keras(model):
            return accelerate_keras(model)
    from .nn.swap import accelerate as accelerate_torch

    accelerate_torch(model)  # type: ignore[type-var]  # which refuses what is no module
    return model


@contextmanager
def accelerated(*, log: bool = True) -> Iterator[Summary]:
    """Compute every recurrent layer of PyTorch's and of Keras' that runs within the block as Sluicegate does.

    These are `torch.nn.GRU`, `LSTM`, `RNN` and cells, and `keras.layers.GRU`, `LSTM`, `SimpleRNN` and `RNN`. It does
    not matter when a layer was made, or by whom. No layer is changed: each has the class, the `state_dict`, the file
    and the pickle that it has without the block, so that what is saved within it is read without Sluicegate. The
    block holds for the whole process, in all threads and in processes that are forked within it, until the last of
    the open blocks ends. Layers that are traced, scripted, exported or compiled within it are PyTorch's and Keras'.

    What cannot be taken is left to PyTorch or Keras, for the reasons that `accelerate` names.

    Args:
        log: Whether to tell of each layer on the logger `sluicegate`, as `accelerate` does.

    Returns:
        For `as`: the summary of the layers that ran, to be read in the block or after it.

    Example:
        >>> import torch, sluicegate
        >>> layers = torch.nn.GRU(3, 5), torch.nn.LSTM(3, 5, dtype=torch.float64)
        >>> with sluicegate.accelerated(log=False) as summary:
        ...     for layer in layers:
        ...         _ = layer(torch.zeros(7, 2, 3, dtype=layer.weight_ih_l0.dtype))
        >>> [swap.kind for swap in summary.swapped], [swap.reason for swap in summary.left]
        (['GRU'], ['float64'])
    """
    summary = Summary()
    with ExitStack() as blocks:
        for name, block in _BLOCKS.items():
            begin = _beginning(blocks, block, summary, log)
            blocks.callback(when_imported(name, begin))
        yield summary


def _beginning(blocks: ExitStack, block: Callable[..., Any], summary: Summary, log: bool) -> Callable[[], None]:
    return lambda: blocks.enter_context(block(summary, log))


def _of_torch(summary: Summary, log: bool) -> Any:
    from .nn.patch import accelerated as within

    return within(summary, log=log)


def _of_keras(summary: Summary, log: bool) -> Any:
    from .keras.patch import accelerated as within

    return within(summary, log=log)


_BLOCKS: dict[str, Callable[[Summary, bool], Any]] = {"torch": _of_torch, "keras": _of_keras}
"""By the module that a program imports: the block for its layers."""
