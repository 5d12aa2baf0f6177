"""The affine map and what can be asked of it."""

import pytest
import torch

from sluicegate.ops.affine import affine


def test_normalises_each_part_by_itself():
    weight = torch.eye(5, dtype=torch.float64)
    v = torch.tensor([1.0, 3.0, 10.0, 20.0, 60.0], dtype=torch.float64)
    gain, bias = torch.full_like(v, 2.0), torch.full_like(v, 0.25)
    a = affine(weight, bias, gain, parts=[2, 3])(v)
    # 1, 3: mean 2, variance 1; 10, 20, 60: mean 30, variance 1400 / 3.
    first = torch.tensor([-1.0, 1.0], dtype=torch.float64) / (1 + 1e-5) ** 0.5
    second = torch.tensor([-20.0, -10.0, 30.0], dtype=torch.float64) / (1400 / 3 + 1e-5) ** 0.5
    torch.testing.assert_close(a, 2 * torch.cat([first, second]) + 0.25)
    assert affine(weight, None, gain)(v).sum().item() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_bf16_rounds_to_the_nearest_and_passes_the_gradient_whole(dtype):
    v = torch.randn(1000, 1, dtype=dtype, generator=torch.Generator().manual_seed(0)).mul(100).requires_grad_()
    w = torch.tensor([[1 / 3]], dtype=dtype)
    a = affine(w, precision="bf16")(v)
    assert torch.equal(a, v.to(torch.bfloat16).to(dtype) * w.to(torch.bfloat16).to(dtype))
    upstream = torch.randn(1000, 1, dtype=dtype, generator=torch.Generator().manual_seed(1))
    (gradient,) = torch.autograd.grad(a, v, upstream)
    assert torch.equal(gradient, upstream * w.to(torch.bfloat16).to(dtype))


def test_drops_before_it_multiplies():
    weight = torch.tensor([[1.0, 10.0], [100.0, 1000.0]])
    mask = torch.tensor([[0.0, 2.0], [2.0, 0.0]])
    a = affine(weight, torch.tensor([0.5, 0.25]), mask=mask)(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    assert a.tolist() == [[40.5, 4000.25], [6.5, 600.25]]
