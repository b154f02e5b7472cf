"""Several processes, one training: ``torchrun --nproc-per-node N -m fxkit run ...``.

Each process (a *rank*) walks its share of the streams. The loss is a function of the whole batch,
so every rank evaluates it on the whole batch: estimates and targets are gathered, and each rank's
gradient flows through its own rows alone. Summed over the ranks that is the gradient that one
process would have computed, for any loss, pooled denominators included; see docs/tuning.md.

`Ranks()` is one process by itself; then nothing here communicates, or imports torch.distributed.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from fxkit.errors import FxkitError

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

__all__ = ["ALONE", "Ranks", "is_first", "join"]

T = TypeVar("T")

TIMEOUT = datetime.timedelta(minutes=30)
"""How long a rank waits for the others: the first one also makes data, scores and writes."""

_FAILURES = "fxkit.failures"


def is_first() -> bool:
    """Say whether this process is the one that shows and writes results; imports no torch."""
    return int(os.environ.get("RANK", "0")) == 0 or not _launched()


@dataclass(frozen=True)
class Ranks:
    """The processes of one training, as one of them sees them."""

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    """The rank among those on the same machine."""

    @property
    def first(self) -> bool:
        """Whether this is the rank that writes checkpoints, scores and report."""
        return self.rank == 0

    @property
    def share(self) -> tuple[int, int]:
        """Rank and size, as the sources of training data take them."""
        return self.rank, self.size

    def device(self, device: torch.device) -> torch.device:
        """Return the device of this rank: where there are several GPUs, each rank has its own."""
        import torch

        if self.size > 1 and device.type == "cuda" and device.index is None:
            device = torch.device("cuda", self.local_rank)
            if self.local_rank >= torch.cuda.device_count():
                raise FxkitError(
                    f"this machine has {torch.cuda.device_count()} GPUs, fewer than ranks: "
                    "lower --nproc-per-node or use run.device=cpu"
                )
            torch.cuda.set_device(device)
        return device

    def wrap(self, model: nn.Module) -> nn.Module:
        """Return `model` such that its gradients are the sum over all ranks after `backward`.

        All ranks start from the weights of the first.
        """
        if self.size == 1:
            return model
        from torch.nn.parallel import DistributedDataParallel

        return DistributedDataParallel(model, broadcast_buffers=False)

    def backward(self, value: Tensor) -> None:
        """Back-propagate the loss of the whole batch, which every rank has computed."""
        # Each rank holds one summand of the gradient; DistributedDataParallel takes their mean.
        whole = value if self.size == 1 else value * self.size
        whole.backward()  # type: ignore[no-untyped-call]

    def whole(self, own: Tensor) -> Tensor:
        """Return the rows of all ranks, in order; the gradient flows through this rank's alone.

        Parameters
        ----------
        own
            ``[batch, ...]``, of the same shape on every rank.

        Returns
        -------
        Tensor
            ``[size * batch, ...]``.
        """
        if self.size == 1:
            return own
        import torch
        from torch import distributed

        sent = own.detach().contiguous()
        rows = [torch.empty_like(sent) for _ in range(self.size)]
        distributed.all_gather(rows, sent)
        rows[self.rank] = own
        return torch.cat(rows)

    def agree(self, value: float) -> float:
        """Return the first rank's `value`, so that all ranks decide alike."""
        if self.size == 1:
            return value
        import torch
        from torch import distributed

        # On the processor: a GPU would have to wait for its own work first.
        shared = torch.tensor([value], dtype=torch.float64)
        distributed.broadcast(shared, 0)
        return float(shared)

    def tell(self, value: T) -> T:
        """Return what the first rank gives as `value`; any object that can be pickled."""
        if self.size == 1:
            return value
        from torch import distributed

        box: list[Any] = [value if self.first else None]
        distributed.broadcast_object_list(box, 0)
        told: T = box[0]
        return told

    def copy_weights(self, model: nn.Module) -> None:
        """Give every rank's `model` the weights that the first rank's has."""
        if self.size > 1:
            from torch import distributed

            for tensor in model.state_dict().values():
                distributed.broadcast(tensor, 0)

    @contextlib.contextmanager
    def one_first(self) -> Iterator[None]:
        """Let one process of each machine do the block before the others, as for a cache."""
        if self.size > 1 and self.local_rank != 0:
            self._wait()
        yield
        if self.size > 1 and self.local_rank == 0:
            self._wait()
        if self.size > 1:
            self._wait()

    def _wait(self) -> None:
        from torch import distributed

        distributed.barrier()


ALONE = Ranks()
"""One process by itself."""


@contextlib.contextmanager
def join() -> Iterator[Ranks]:
    """Meet the other ranks that torchrun has started; `ALONE` where there are none.

    An error that leaves the block on one rank ends all: it is raised there, with the rank in its
    message, and the others end silently with exit code 2.

    Raises
    ------
    FxkitError
        If the ranks do not find each other, or another one is gone without a word.
    """
    if not _launched():
        yield ALONE
        return
    import torch
    from torch import distributed
    from torch.distributed.distributed_c10d import PrefixStore
    from torch.distributed.rendezvous import rendezvous

    try:
        store, rank, size = next(rendezvous("env://", timeout=TIMEOUT))
        store.set_timeout(TIMEOUT)
        distributed.init_process_group(
            "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo",
            store=PrefixStore("fxkit", store),
            rank=rank,
            world_size=size,
            timeout=TIMEOUT,
        )
    except (RuntimeError, ValueError, KeyError) as error:
        reason = " ".join(str(error).split())
        raise FxkitError(f"the ranks did not meet: {reason}; start them with torchrun") from None
    ranks = Ranks(rank, size, int(os.environ.get("LOCAL_RANK", str(rank))))
    try:
        yield ranks
    except BaseException as error:
        # The group is left as it is: ending it could wait for those who wait for us.
        _end_all(error, store, ranks)
    distributed.barrier()
    distributed.destroy_process_group()


def _launched() -> bool:
    return "RANK" in os.environ and int(os.environ.get("WORLD_SIZE", "1")) > 1


def _end_all(error: BaseException, store: Any, ranks: Ranks) -> NoReturn:
    """Raise `error` on the first rank to fail; end the others without a word."""
    try:
        spokesman = store.add(_FAILURES, 1) == 1
    except RuntimeError:
        # The store went down with whoever held it, who has said why.
        spokesman = False
    if not spokesman:
        raise SystemExit(2) from None
    where = f"rank {ranks.rank} of {ranks.size} on {platform.node()}"
    if _is_lost_peer(error):
        raise FxkitError(f"{where}: another rank is gone; torchrun says which below") from error
    if isinstance(error, FxkitError) or type(error).__name__ == "DivergedError":
        raise type(error)(f"{where}: {error}") from error
    error.add_note(f"on {where}")
    raise error


def _is_lost_peer(error: BaseException) -> bool:
    """Say whether a collective failed because of another rank."""
    from torch import distributed

    text = str(error)
    return isinstance(error, distributed.DistError) or (
        isinstance(error, RuntimeError)
        and any(sign in text for sign in ("gloo", "Connection closed by peer", "NCCL"))
    )
