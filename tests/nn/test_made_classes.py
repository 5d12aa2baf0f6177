"""The classes that ours make of the user's run none of the user's hooks, and copy and pickle as theirs do."""

import copy
import pickle
import types
from abc import ABC
from typing import Generic, TypeVar

import pytest
import torch

import sluicegate
from sluicegate.nn.swap import restore

MADE, REGISTRY = [], {}
X = torch.randn(3, 2, 4, generator=torch.Generator().manual_seed(0))
T = TypeVar("T")


class Base(torch.nn.GRU):
    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        REGISTRY[cls.__name__] = cls


class Encoder(Base):
    pass


class Strict(torch.nn.GRU):
    def __init_subclass__(cls, *, name, **options):
        super().__init_subclass__(**options)
        cls.name = name


class Named(Strict, name="x"):
    pass


class Meta(type):
    def __new__(mcs, name, bases, names, **options):
        MADE.append(name)
        return super().__new__(mcs, name, bases, names)

    def __init__(cls, name, bases, names, *, tag):
        super().__init__(name, bases, names)
        MADE.append(tag)


class Tagged(torch.nn.GRU, metaclass=Meta, tag="x"):
    pass


class Abstract(torch.nn.GRU, ABC):
    pass


class Typed(torch.nn.GRU, Generic[T]):
    pass


class Handler(Generic[T]):
    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        REGISTRY[cls.__name__] = cls


class AfterAbstract(Handler[int], ABC, torch.nn.GRU):
    pass


class AfterTyped(Generic[T], torch.nn.GRU):
    pass


class Slotted:
    __slots__ = ("mark",)


class AfterSlotted(Slotted, torch.nn.GRU):
    pass


class Final(torch.nn.GRU):
    def __init_subclass__(cls):
        raise TypeError("no subclasses")


SUBCLASSES = [Encoder, Named, Tagged, Abstract, Typed, AfterAbstract, AfterTyped, AfterSlotted, Final]


@pytest.mark.parametrize("cls", SUBCLASSES)
def test_no_hook_runs(cls):
    before = dict(REGISTRY), list(MADE)
    layer = cls(4, 5)
    expected = layer(X)[0]
    with sluicegate.accelerated(log=False) as summary:
        torch.testing.assert_close(layer(X)[0], expected)
    assert len(summary.swapped) == 1
    sluicegate.accelerate(layer)
    assert isinstance(layer, cls)
    assert isinstance(layer, sluicegate.GRU)
    assert type(layer).__mro__[1] is cls
    torch.testing.assert_close(layer(X)[0], expected)
    torch.testing.assert_close(pickle.loads(pickle.dumps(layer))(X)[0], expected)
    assert type(restore(layer)) is cls
    assert before == (REGISTRY, MADE)


def rebuild(sizes, state):
    layer = ByFunction(*sizes)
    layer.load_state_dict(state)
    return layer


class ByFunction(torch.nn.GRU):
    def __reduce__(self):
        return rebuild, ((self.input_size, self.hidden_size), self.state_dict())


class ByClass(torch.nn.GRU):
    def __reduce_ex__(self, protocol):
        return type(self), (self.input_size, self.hidden_size), self.__getstate__()


class Marked(torch.nn.GRU):
    def __reduce_ex__(self, protocol):
        make, arguments, state, *_ = super().__reduce_ex__(protocol)
        return make, arguments, {**state, "mark": getattr(self, "mark", 0) + 1}


class Copied(torch.nn.GRU):
    def __deepcopy__(self, memo):
        made = type(self)(self.input_size, self.hidden_size)
        made.load_state_dict(self.state_dict())
        return made


@pytest.mark.parametrize("cls", [ByFunction, ByClass, Marked, Copied])
def test_a_way_of_pickling_of_ones_own(cls):
    layer = sluicegate.accelerate(cls(4, 5))
    expected = layer(X)[0]
    for again in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert isinstance(again, cls)
        assert isinstance(again, sluicegate.GRU)
        assert torch.equal(again(X)[0], expected)
        assert getattr(again, "mark", 1) == 1
    assert type(copy.deepcopy(restore(layer))) is cls


def test_an_object_that_is_no_layer_is_pytorchs():
    layer = torch.nn.GRU(4, 5)
    expected = layer(X)[0]
    names = ["_update_flat_weights", "_flat_weights", "bidirectional", "num_layers", "hidden_size", "batch_first"]
    names += ["permute_hidden", "check_forward_args", "bias", "dropout", "training"]
    duck = types.SimpleNamespace(**{name: getattr(layer, name) for name in names})
    with sluicegate.accelerated(log=False) as summary:
        assert torch.equal(torch.nn.GRU.forward(duck, X)[0], expected)
    assert summary.swapped == summary.left == []


def test_attributes_set_after_the_first_call_count():
    changes = [("batch_first", True), ("dropout", 0.5), ("training", False)]
    theirs = torch.nn.GRU(4, 4, num_layers=2)
    layer = copy.deepcopy(theirs)

    def results(module):
        module(X)
        for change in changes:
            setattr(module, *change)
            torch.manual_seed(1)
            yield module(X)[0]

    expected = list(results(theirs))
    with sluicegate.accelerated(log=False) as summary:
        torch.testing.assert_close(list(results(layer)), expected, rtol=0, atol=1e-5)
        layer.check_input = refuse
        with pytest.raises(ZeroDivisionError):
            layer(X)
    assert [swap.reason for swap in summary.left] == ["this GRU has a `check_input` of its own"]


def refuse(*_):
    raise ZeroDivisionError
