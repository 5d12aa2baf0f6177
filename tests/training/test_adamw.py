import copy

import pytest
import torch

from sluicegate.training import AdamW


@pytest.fixture(params=[torch.float32, torch.float64])
def _default(request):
    torch.set_default_dtype(request.param)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.usefixtures("_default")
@pytest.mark.parametrize("fused", [False, True])
def test_no_bit_differs_from_pytorchs_own(fused):
    torch.manual_seed(0)
    model = torch.nn.ModuleList([torch.nn.Linear(7, 5), torch.nn.Linear(5, 3), torch.nn.Linear(2, 2)])
    other = copy.deepcopy(model)
    ours = AdamW(model.parameters(), weight_decay=0.02, fused=fused)
    theirs = torch.optim.AdamW(other.parameters(), weight_decay=0.02, fused=fused)
    for step in range(20):
        theirs.param_groups[0]["lr"] = rate = 0.01 / (step + 1)
        x = torch.randn(4, 7)
        for parts, optimizer in ((model, ours), (other, theirs)):
            optimizer.zero_grad()
            hidden = parts[0](x).tanh()
            # The second takes part from the tenth step on, the third never.
            (hidden if step < 10 else parts[1](hidden)).square().mean().backward()
        ours.step(rate)
        theirs.step()
    for mine, its in zip(model.parameters(), other.parameters(), strict=True):
        assert torch.equal(mine, its)
        for name, moment in theirs.state[its].items():
            assert torch.equal(ours.moments[mine][name], moment)
    assert len(ours.moments) == 4
