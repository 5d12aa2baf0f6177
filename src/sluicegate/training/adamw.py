"""PyTorch's AdamW by its functional form: the class loads PyTorch's compiler, 1.5 s of the start of every training."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw


class AdamW:
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019), bit for bit that of `torch.optim`.

    Args:
        weights: what is trained; those without a gradient stay as they are.
        weight_decay: the decay.
        fused: whether PyTorch computes a step in one pass over all weights, which has other bits.
    """

    def __init__(self, weights: Iterable[nn.Parameter], *, weight_decay: float, fused: bool) -> None:
        self.weights = list(weights)
        self.moments: defaultdict[nn.Parameter, dict[str, Tensor]] = defaultdict(dict)
        """Of each weight that had a gradient: `exp_avg`, `exp_avg_sq` and `step`."""
        self._weight_decay, self._fused = weight_decay, fused

    def zero_grad(self) -> None:
        """Forget the gradient."""
        for weight in self.weights:
            weight.grad = None

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        """Take a step along the gradient."""
        learnt, gradient = [], []
        for weight in self.weights:
            if weight.grad is not None:
                learnt.append(weight)
                gradient.append(weight.grad)
                if not self.moments[weight]:
                    self.moments[weight] = {
                        "exp_avg": torch.zeros_like(weight),
                        "exp_avg_sq": torch.zeros_like(weight),
                        "step": torch.zeros(()),
                    }
        moments = [self.moments[weight] for weight in learnt]
        adamw(
            [*learnt],
            gradient,
            [own["exp_avg"] for own in moments],
            [own["exp_avg_sq"] for own in moments],
            [],
            [own["step"] for own in moments],
            foreach=False,
            fused=self._fused,
            amsgrad=False,
            beta1=0.9,
            beta2=0.999,
            lr=learning_rate,
            weight_decay=self._weight_decay,
            eps=1e-8,
            maximize=False,
        )
