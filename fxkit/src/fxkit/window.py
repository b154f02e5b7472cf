"""Window models: write a function of one fixed window, get a streaming model with known latency.

Some networks see a whole stretch of sound at once: a spectrogram, attention over a second of it.
Their author implements `WindowModel.process`, a pure function of one window. This adapter buffers
the input, processes a window every `hop` samples and cross-fades what comes out. To all the rest of
fxkit the result is a model like any other.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import torch
from torch import Tensor
from torch.nn import functional

from fxkit.errors import FxkitError
from fxkit.model import Model, State
from fxkit.overlap import overlap_add

if TYPE_CHECKING:
    from fxkit.graph import Graph, Node

__all__ = ["WindowModel", "overlap_weights"]


def overlap_weights(window: int, hop: int) -> Tensor:
    """Return weights ``[window]`` whose copies, every `hop` samples, add up to exactly 1.

    A squared sine sampled between its zeros, divided by the sum of its own shifted copies: the
    cross-fade of the usual overlap-add, for any hop (Griffin & Lim, "Signal estimation from
    modified short-time Fourier transform", IEEE TASSP 32, 1984). With ``hop = window`` all are 1.
    """
    if not 1 <= hop <= window:
        raise ValueError(f"hop must be from 1 to the window of {window} samples, not {hop}")
    phase = math.pi * (torch.arange(window, dtype=torch.float64) + 0.5) / window
    fade = phase.sin().square()
    copies = math.ceil(window / hop)
    total = functional.pad(fade, (0, copies * hop - window)).view(copies, hop).sum(0)
    return (fade / total.repeat(copies)[:window]).float()


class WindowModel(Model):
    """A model whose author writes a function of one window of fixed length.

    A subclass implements `process` (not `forward`). Windows start every `hop` samples; each output
    window is weighted so that overlapping ones fade into each other without a seam, and their sum
    has a gain of 1: a `process` that returns its input gives the input back.

    The state holds the last ``window - 1`` samples (``past``), the sum of what overlapping windows
    have said about samples still to come (``pending``), both ``[batch, 1, window - 1]``, and how
    far each stream is into its hop (``position``, ``[batch]``, int64).

    Parameters
    ----------
    config
        An instance of `Config`.
    sample_rate
        The rate in Hz of the audio that the model will see.
    controls
        The number K of knobs.
    window
        Length of a window in samples, at least 1.
    hop
        Samples from the start of a window to that of the next; half a window by default. A shorter
        hop costs more and blends more.
    """

    trains_on: ClassVar[Literal["streams", "crops"]] = "crops"
    weights: Tensor

    def __init__(
        self,
        config: Any,
        *,
        sample_rate: int = 44_100,
        controls: int = 0,
        window: int,
        hop: int | None = None,
    ) -> None:
        super().__init__(config, sample_rate=sample_rate, controls=controls)
        self.window = window
        self.hop = max(1, window // 2) if hop is None else hop
        # Follows from window and hop, so it is not saved; as a buffer it follows the device.
        self.register_buffer("weights", overlap_weights(self.window, self.hop), persistent=False)

    @abstractmethod
    def process(self, x: Tensor, controls: Tensor | None = None) -> Tensor:
        """Turn windows of input into windows of output, each for itself and without memory.

        Parameters
        ----------
        x
            ``[windows, 1, window]``: successive windows of all streams, in no order to rely on.
        controls
            ``[windows, K]`` in 0..1; None where K is 0.

        Returns
        -------
        Tensor
            ``[windows, 1, window]``, in time with x.
        """

    @property
    def latency(self) -> int:
        """``window - 1``: the first sample of a window waits for the last one."""
        return self.window - 1

    @property
    def warm_up(self) -> int:
        """Two windows: an output sees no input that is older."""
        return 2 * self.window

    @property
    def granularity(self) -> int:
        """The hop: a window is processed whenever so many samples have come in."""
        return self.hop

    def crop(self, x: Tensor, controls: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Process the windows that lie wholly inside crops ``[batch, 1, time]``, added up.

        Every window is processed once and none hears silence that is not in the recording. The
        weight ``[time]`` is 1 where the windows complement each other, fades in and out at the ends
        as each window does, and is 0 after the last window: a sample counts as much as this window
        will have to say about it.

        Raises
        ------
        FxkitError
            The crop is shorter than one window.
        """
        window, hop, time = self.window, self.hop, x.shape[-1]
        if time < window:
            raise FxkitError(
                f"a crop of {time / self.sample_rate:.2f} s is shorter than the model's window of "
                f"{window / self.sample_rate:.2f} s: raise train.crop or shorten the window"
            )
        count = (time - window) // hop + 1
        length = (count - 1) * hop + window
        frames = x[..., :length].unfold(-1, window, hop)
        y = self._process_all(frames, controls)
        weight = overlap_add(self.weights.to(x.dtype).expand(count, -1), hop)
        rest = (0, time - length)
        return functional.pad(y, rest), functional.pad(weight, rest)

    def initial_state(self, batch: int) -> State:
        """Return silence behind and nothing pending."""
        weights = self.weights
        return {
            "past": weights.new_zeros(batch, 1, self.window - 1),
            "pending": weights.new_zeros(batch, 1, self.window - 1),
            "position": torch.zeros(batch, dtype=torch.int64, device=weights.device),
        }

    def forward(
        self, x: Tensor, state: State, controls: Tensor | None = None
    ) -> tuple[Tensor, State]:
        """Process one block of any length; all windows that it completes run as one batch."""
        positions = state["position"].tolist()
        if len(set(positions)) == 1:
            return self._advance(x, state, controls, positions[0])
        return self._advance_apart(x, state, controls, positions)

    def graph(self, g: Graph, x: Node, controls: Node | None) -> Node:
        """Say that the engine, which goes sample by sample, does not run whole windows."""
        from fxkit.graph import NotExportableError

        raise NotExportableError(
            f"{type(self).__name__} does not describe itself as engine layers: it works on windows "
            f"of {self.window} samples at once, while the engine goes sample by sample; "
            "it plays through PyTorch, or as a program: fxkit export --to executorch"
        )

    def _advance(
        self, x: Tensor, state: State, controls: Tensor | None, position: int
    ) -> tuple[Tensor, State]:
        """Process one block of streams that are all `position` samples into their hop."""
        window, hop, time = self.window, self.hop, x.shape[-1]
        # The input and the output line share their indices: the window that ends with sample c - 1
        # of the block covers c - 1 to c + window - 2 of both, and the block's first output is at 0.
        heard = torch.cat((state["past"], x), dim=-1)
        said = functional.pad(state["pending"], (0, time))
        count = (position + time) // hop
        if count:
            first = hop - position - 1
            length = (count - 1) * hop + window
            frames = heard[..., first : first + length].unfold(-1, window, hop)
            added = self._process_all(frames, controls)
            said = said + functional.pad(added, (first, said.shape[-1] - first - length))
        return said[..., :time], {
            "past": heard[..., time:],
            "pending": said[..., time:],
            "position": (state["position"] + time) % hop,
        }

    def _process_all(self, frames: Tensor, controls: Tensor | None) -> Tensor:
        """Process frames ``[batch, 1, count, window]``, add them up to ``[batch, 1, time]``."""
        batch, _, count, window = frames.shape
        if controls is not None:
            controls = controls.repeat_interleave(count, dim=0)
        processed = self.process(frames.reshape(batch * count, 1, window), controls)
        weighted = (processed * self.weights).view(batch, 1, count, window)
        return overlap_add(weighted, self.hop)

    def _advance_apart(
        self, x: Tensor, state: State, controls: Tensor | None, positions: list[int]
    ) -> tuple[Tensor, State]:
        """Process streams whose states were reset at different times, one group per position."""
        y = torch.empty_like(x)
        after = {name: torch.empty_like(leaf) for name, leaf in state.items()}
        for position in sorted(set(positions)):
            rows = torch.tensor([p == position for p in positions], device=x.device)
            group = {name: leaf[rows] for name, leaf in state.items()}
            knobs = None if controls is None else controls[rows]
            y[rows], new = self._advance(x[rows], group, knobs, position)
            for name, leaf in new.items():
                after[name][rows] = leaf
        return y, after
