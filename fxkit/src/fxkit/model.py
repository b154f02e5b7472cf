"""The model contract: a causal state machine that turns one block of samples into another.

A model is written once and serves training, offline rendering and live use alike, because its
memory is a value that is passed in and handed back, never hidden on the module.

The law that every model keeps (and that `fxkit.testing.ModelLaws` checks): cutting the input into
any blocks, with the state carried over, gives the same output as one pass.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from fxkit.options import NoOptions

if TYPE_CHECKING:
    from fxkit.graph import Graph, Node
    from fxkit.search import Dimension

State = dict[str, Tensor]
"""What a model remembers between two blocks: named tensors whose first axis is the batch."""

__all__ = ["Model", "State", "detach"]


class Model(nn.Module, ABC):
    """A causal, streaming model of a mono effect.

    A subclass names a frozen dataclass `Config` (fields made with `fxkit.options.option`; it must
    round-trip through JSON), and implements `initial_state` and `forward`. It registers itself in
    the entry-point group ``fxkit.models``.

    Parameters
    ----------
    config
        An instance of `Config`.
    sample_rate
        The rate in Hz of the audio that the model will see.
    controls
        The number K of knobs; 0 for an effect without any.
    """

    Config: ClassVar[type] = NoOptions
    trains_on: ClassVar[Literal["streams", "crops"]] = "streams"
    """How training feeds the model: long parallel streams with the state carried over, or crops."""

    train_defaults: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    """Settings of ``train.*`` that suit this model better than the general ones.

    Name without the ``train.`` to value, as in ``{"lr": 1e-3, "batch": 4}``. They take the place of
    the defaults; whatever the user or a recipe says goes before them.
    """

    def __init__(self, config: Any, *, sample_rate: int = 44_100, controls: int = 0) -> None:
        super().__init__()
        self.config = config
        self.sample_rate = sample_rate
        self.controls = controls

    @classmethod
    def search_space(cls) -> dict[str, Dimension]:
        """Return what `fxkit tune` searches of this model: name of a setting to range or choice.

        The names are those of `Config`, as in ``{"hidden": Choice((16, 32, 48))}``; the values are
        `fxkit.search.Range` and `fxkit.search.Choice`, within what the settings allow. A name that
        starts with ``train.`` replaces what would be searched of the training by default
        (``"train.lr": Range(1e-4, 1e-3, log=True)``). By default nothing of the model is searched.
        """
        return {}

    @property
    def latency(self) -> int:
        """By how many samples the output lags the input; 0 for most recurrent models."""
        return 0

    @property
    def warm_up(self) -> int:
        """Samples of context after which the initial state no longer matters, as a hint.

        Training runs this many unscored samples before a stream's first scored one.
        """
        return 2048

    @property
    def unit_dry(self) -> bool:
        """Whether the model adds its input to its output at a gain that has to stay exactly 1.

        The gains around it are then each other's inverse, so that it holds for the whole.
        """
        return False

    @abstractmethod
    def initial_state(self, batch: int) -> State:
        """Return the memory of silence for `batch` parallel streams; leaves are ``[batch, ...]``.

        The leaves live on the device, and have the type, of the model's parameters.
        """

    @abstractmethod
    def forward(
        self, x: Tensor, state: State, controls: Tensor | None = None
    ) -> tuple[Tensor, State]:
        """Process one block.

        Parameters
        ----------
        x
            ``[batch, 1, time]``, float32, full scale +-1 at `sample_rate`; time may be any number
            of samples from 1 up.
        state
            What `initial_state` or the previous call returned. It is not modified.
        controls
            ``[batch, K]`` in 0..1, the knobs; None where K is 0.

        Returns
        -------
        y
            ``[batch, 1, time]``, which lags x by `latency` samples.
        state
            The memory to pass to the next call.
        """

    def crop(self, x: Tensor, controls: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Process whole crops, for training: what a model with ``trains_on = "crops"`` learns from.

        By default the crop is played from silence and the latency is taken out.

        Parameters
        ----------
        x
            ``[batch, 1, time]``.
        controls
            ``[batch, K]`` in 0..1, the knobs; None where K is 0.

        Returns
        -------
        y
            ``[batch, 1, time]``, in time with x: what training compares with ``weight * target``.
        weight
            ``[time]``, 0..1: how much of each output sample there is in y. It is 1 where the crop
            holds all that the model would hear, and may fade towards the ends.
        """
        heard = functional.pad(x, (0, self.latency))
        y, _ = self(heard, self.initial_state(x.shape[0]), controls)
        return y[..., self.latency :], x.new_ones(x.shape[-1])

    @property
    def granularity(self) -> int:
        """Samples from one piece of work to the next: 1 for a model that works sample by sample.

        A model that gathers samples and then works on many at once says after how many it does. A
        shorter block would mostly measure the gathering.
        """
        return 1

    def graph(self, g: Graph, x: Node, controls: Node | None) -> Node:
        """Describe the model as layers that the engine runs; see `fxkit.graph`.

        A model that is not made of the engine's layers leaves this as it is: it still trains,
        renders and reports through PyTorch, and export says by name what cannot be exported.
        """
        from fxkit.graph import NotExportableError

        raise NotExportableError(
            f"{type(self).__name__} does not describe itself as engine layers: "
            "implement Model.graph(g, x, controls) from the layers of fxkit.graph"
        )


def detach(state: State) -> State:
    """Cut the gradient, keep the memory: what TBPTT does between two windows."""
    return {name: leaf.detach() for name, leaf in state.items()}


def run_blocks(
    model: Model, x: Tensor, state: State, controls: Tensor | None, block: int
) -> tuple[Tensor, State]:
    """Run a long ``[batch, 1, time]`` signal through `model` in blocks of `block` samples."""
    outputs = []
    for start in range(0, max(1, x.shape[-1]), block):
        y, state = model(x[..., start : start + block], state, controls)
        outputs.append(y)
    return torch.cat(outputs, dim=-1), state
