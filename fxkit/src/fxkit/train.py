"""Training: parallel streams walked in step, truncated back-propagation with the state kept.

Models that learn from crops go through the same loop, but every crop is met afresh.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from fxkit import checkpoint
from fxkit.data import Split, Window, levels
from fxkit.device import float32_products, pick_precision
from fxkit.distributed import ALONE, Ranks
from fxkit.ema import Average
from fxkit.errors import FxkitError
from fxkit.feed import CropNetwork, source
from fxkit.gradient import GradientBound
from fxkit.loss import Loss
from fxkit.model import Model, State, detach
from fxkit.optimizer import make_optimizer
from fxkit.progress import Progress, Step
from fxkit.recurrent import threads_for_kernels
from fxkit.schedule import Schedule
from fxkit.signals import Reminder
from fxkit.task import Task
from fxkit.train_config import TrainConfig
from fxkit.validate import Validation

__all__ = ["DivergedError", "Epoch", "Pruned", "TrainConfig", "TrainResult", "train"]

BEST = "best.safetensors"
LAST = "last.safetensors"
CHECK_EVERY = 50
"""Steps between two looks at the loss: each look makes a GPU wait for its own results."""
LEAST_RATE = 1 / 8
"""A training that diverges goes on at half the learning rate, but no lower than at this share."""


class DivergedError(RuntimeError):
    """The loss became NaN or infinite; the best weights so far are kept on disk."""


class Pruned(Exception):  # noqa: N818 - not an error: somebody has seen enough
    """Raised by ``on_epoch`` of `train` to end the training; its message is the reason."""


@dataclass(frozen=True)
class Epoch:
    """One pass over the training part."""

    number: int
    """From 1."""
    seconds: float
    """Training time up to the end of this epoch, over all sittings."""
    loss: float
    """Mean training loss of the epoch's scored windows."""
    validation_loss: float
    lr: float
    """Learning rate at the end of the epoch."""


@dataclass(frozen=True)
class TrainResult:
    """What came out of a training; the model it was given now holds the best weights."""

    history: list[Epoch]
    best_epoch: int
    stopped: str
    """Why it ended, in plain words."""
    interrupted: bool
    """Whether the user stopped it with Ctrl-C."""


def train(
    model: Model,
    loss: Loss,
    split: Split,
    task: Task,
    config: TrainConfig,
    *,
    device: torch.device,
    directory: Path,
    progress: Progress,
    seed: int = 0,
    resume: bool = False,
    on_epoch: Callable[[Epoch], None] | None = None,
    ranks: Ranks = ALONE,
) -> TrainResult:
    """Train `model` on ``split.train`` and leave the weights with the lowest validation loss in it.

    Parameters
    ----------
    model
        The model between its input and output gains (`fxkit.scaled.Scaled`), on any device.
    directory
        Where ``best.safetensors`` and ``last.safetensors`` go; it exists.
    resume
        Go on from ``last.safetensors``. A training that is bound by epochs gives the same numbers
        as one that was never interrupted; one bound by the wall clock cannot, because the machine
        decides how many steps fit. Ctrl-C loses the epoch that it cuts short; only the first one
        is kept as far as it went, and counts as whole.
    on_epoch
        Called after each epoch, when its checkpoints are written. It may raise `Pruned`, which
        ends the training like any other reason: what it has so far is returned.
    ranks
        The processes that train together. ``train.batch`` is of all of them; the result is that of
        one process, up to rounding. Only the first writes into `directory`.

    Raises
    ------
    DivergedError
        If the loss is no longer finite, or the gradients: in the first epoch, or again and again. A
        training that diverges later goes on from its best epoch at half the learning rate, which
        `progress` is told; three times at most.
    FxkitError
        If the training part is too short for one window, or the checkpoint cannot be resumed.
    """
    trainer = _Trainer(model, loss, split, task, config, device, directory, seed, ranks)
    trainer.on_epoch = on_epoch
    if resume:
        trainer.resume()
    # What learns from crops is mostly convolutions and matrix products, which PyTorch shares out
    # well; its recurrent layers are a small part of a step.
    kernels = device.type == "cpu" and model.trains_on != "crops"
    threads = threads_for_kernels(model) if kernels else nullcontext()
    with threads, float32_products(trainer.precision):
        return trainer.run(progress)


class _Trainer:
    def __init__(
        self,
        model: Model,
        loss: Loss,
        split: Split,
        task: Task,
        config: TrainConfig,
        device: torch.device,
        directory: Path,
        seed: int,
        ranks: Ranks,
    ) -> None:
        self.model = model.to(device)
        self.loss = loss.to(device)
        self.config = config
        self.device = device
        self.directory = directory
        self.ranks = ranks
        self.on_epoch: Callable[[Epoch], None] | None = None
        self.windows = source(model, split, task, config, seed, ranks)
        self.validation = Validation(model, split.validation, task, config.validation_seconds)
        self.optimizer = make_optimizer(model, config)
        self.network: nn.Module = model
        self.crops = model.trains_on == "crops"
        self.precision = pick_precision(config.precision, device, crops=self.crops)
        self.average = Average(model, config.ema) if config.ema else None
        self.gradient = GradientBound(config.clip)
        self.waiting = 0
        self.power = levels(split.train, task.target) ** 2 if self.crops else 1.0
        self.reminder = Reminder()
        self.schedule = Schedule(config.lr, ramp=config.ramp, floor=config.floor)
        self.at = checkpoint.Progress()
        self.epoch_steps = 0
        self.total = torch.zeros(())
        self.lr = config.lr
        self.earlier = 0.0
        self.started = time.monotonic()

    def resume(self) -> None:
        found = None
        if self.ranks.first:
            at = checkpoint.load_into(self.directory / LAST, self.model, self.optimizer)
            mean = checkpoint.load_average(self.directory / LAST)
            found = at, self.optimizer.state_dict(), mean
        told = self.ranks.tell(found)
        assert told is not None
        self.at, moments, mean = told
        if not self.ranks.first:
            self.optimizer.load_state_dict(moments)
        if self.average is not None:
            # Asked for only now, it starts from the weights that were loaded.
            self.ranks.copy_weights(self.model)
            self.average = Average(self.model, self.config.ema)
            if mean:
                self.average.load(mean)
        self.earlier = self.at.seconds

    def run(self, progress: Progress) -> TrainResult:
        stopped, interrupted = "", False
        self.started = time.monotonic()
        self.model.train()
        # Here and not before: all ranks take over the weights, which may have been resumed.
        self.network = self.ranks.wrap(CropNetwork(self.model) if self.crops else self.model)
        try:
            with self.reminder, progress.task("training", total=100.0) as bar:
                while not (stopped := self.why_stop()):
                    try:
                        self.epoch(bar)
                    except DivergedError as error:
                        self.step_back(error)
                        progress.note(
                            f"epoch {self.at.epoch + 1} ran beyond all numbers: on from epoch "
                            f"{self.at.best_epoch}, at {self.at.rate:g} of the learning rate"
                        )
        except Pruned as reason:
            stopped = str(reason)
        except KeyboardInterrupt:
            stopped, interrupted = "stopped by hand", True
            # Several ranks stop at different steps and cannot go on together.
            if self.at.best_loss is None or self.ranks.size > 1:
                raise
        if self.at.best_loss is not None:
            if self.ranks.first:
                checkpoint.load_into(self.directory / BEST, self.model)
            self.ranks.copy_weights(self.model)
        self.model.eval()
        history = [Epoch(**row) for row in self.at.history]
        return TrainResult(history, self.at.best_epoch, stopped, interrupted)

    def why_stop(self) -> str:
        """Return why the training is over, or an empty string while it is not."""
        config, at = self.config, self.at
        if at.epoch >= config.epochs:
            return f"{_epochs(config.epochs)} done, as many as asked for"
        if config.minutes and self.ranks.agree(self.seconds()) >= 60.0 * config.minutes:
            return f"the {config.minutes:g} minutes are up"
        if config.patience and at.epoch - at.best_epoch >= config.patience:
            return f"the validation loss has not improved for {config.patience} epochs"
        return ""

    def seconds(self) -> float:
        """Return the training time so far, over all sittings."""
        return self.earlier + time.monotonic() - self.started

    def done(self) -> float:
        """Return the share of the training that is behind, 0..1, by whichever bound is nearer."""
        walked = self.at.epoch + self.epoch_steps / max(1, self.windows.steps)
        done = walked / self.config.epochs
        if self.config.minutes:
            done = max(done, self.ranks.agree(self.seconds()) / (60.0 * self.config.minutes))
        return min(done, 1.0)

    def epoch(self, bar: Step) -> None:
        """Walk the windows once, validate, and write the checkpoints."""
        self.total = torch.zeros((), device=self.device)
        self.lr = self.config.lr
        self.epoch_steps = self.waiting = 0
        self.optimizer.zero_grad()
        try:
            self.walk(bar)
        except KeyboardInterrupt:
            # A first epoch may take minutes: what it has learned so far is judged and kept.
            if self.epoch_steps and self.at.best_loss is None and self.ranks.size == 1:
                self.close_epoch(bar)
            raise
        if self.epoch_steps:
            self.close_epoch(bar)
        elif self.windows.steps == 0:
            raise FxkitError(
                "the training part is shorter than one window of every stream: "
                "lower train.window or train.batch"
            )

    def walk(self, bar: Step) -> None:
        """Learn from every window, until the training is over."""
        state: State | None = None
        for window in self.windows.epoch(self.at.epoch):
            self.reminder.check()
            state = self.state_for(window, state)
            if not window.scored:
                with torch.no_grad():
                    _, state = self.model(*self.to_device(window, state))
                continue
            done = self.done()
            if done >= 1.0:
                break
            self.lr = self.schedule(done) * self.at.rate
            for group in self.optimizer.param_groups:
                group["lr"] = self.lr
            value, state = self.step(window, state)
            self.total += value
            self.epoch_steps += 1
            if self.epoch_steps % CHECK_EVERY == 0:
                shown = self.mean_loss()
                bar.update(completed=100.0 * done, loss=shown, validation=self.at.best_loss)
        if self.waiting:
            self.update()

    def state_for(self, window: Window, state: State | None) -> State:
        """Return the state to meet `window` with: fresh where a stream starts anew."""
        fresh = self.model.initial_state(window.input.shape[0])
        if state is None:
            return fresh
        if window.reset is None:
            return state
        restart = window.reset.to(self.device)
        return {
            name: torch.where(restart.view(-1, *[1] * (leaf.ndim - 1)), fresh[name], leaf)
            for name, leaf in state.items()
        }

    def to_device(self, window: Window, state: State) -> tuple[Tensor, State, Tensor | None]:
        controls = None if window.controls is None else self.sent(window.controls)
        return self.sent(window.input), state, controls

    def sent(self, tensor: Tensor) -> Tensor:
        """Return `tensor` on the device; a GPU is not waited for."""
        if self.device.type != "cuda":
            return tensor.to(self.device)
        # From ordinary memory it would only go when all work before it is done.
        return tensor.pin_memory().to(self.device, non_blocking=True)

    def step(self, window: Window, state: State) -> tuple[Tensor, State]:
        """Learn from one window; return the loss, and the state without its gradient."""
        target = self.sent(window.target)
        with self.arithmetic():
            estimate, after = self.network(*self.to_device(window, state))
        if self.crops:
            target, after = after * target, state
        target = self.ranks.whole(target)
        value: Tensor = self.loss(self.ranks.whole(estimate.float()), target).mean()
        if self.crops:
            # A ratio over a few crops divides by whatever energy they have. Each batch counts by
            # its share of that: the mean over batches is then the ratio over all of them, and a
            # pause, in which a ratio can be anything, does not lead the training.
            value = value * (target.square().mean() / self.power)
        self.ranks.backward(value)
        self.waiting += 1
        if self.waiting == self.config.accumulate:
            self.update()
        kept = {name: leaf.to(state[name].dtype) for name, leaf in after.items()}
        return value.detach(), detach(kept)

    def arithmetic(self) -> torch.autocast | nullcontext[None]:
        """Return the context of mixed precision, or of none."""
        if self.precision != "bf16":
            return nullcontext()
        return torch.autocast(self.device.type, dtype=torch.bfloat16)

    def update(self) -> None:
        """Take one optimiser step with the mean gradient of the windows since the last one."""
        if self.waiting > 1:
            for parameter in self.model.parameters():
                if parameter.grad is not None:
                    parameter.grad /= self.waiting
        self.waiting = 0
        if self.gradient(self.model, self.device):
            self.optimizer.step()
        elif self.gradient.lost:
            raise self.diverged("the gradients are")
        self.optimizer.zero_grad()
        self.at.step += 1
        if self.average is not None:
            self.average.update(self.model)

    def diverged(self, what: str) -> DivergedError:
        kept = "nothing" if self.at.best_loss is None else "the best model so far"
        return DivergedError(
            f"training diverged in epoch {self.at.epoch + 1}: {what} no longer finite "
            f"({kept} is kept); try a lower train.lr than {self.config.lr:g}"
        )

    def step_back(self, error: DivergedError) -> None:
        """Take up the best weights again, for half the learning rate; or raise `error`."""
        at = self.at
        if at.best_loss is None or at.rate <= LEAST_RATE:
            raise error
        at.rate /= 2
        if self.ranks.first:
            checkpoint.load_into(self.directory / BEST, self.model)
        self.ranks.copy_weights(self.model)
        # The moments are those of the way that led beyond.
        self.optimizer.state.clear()
        self.gradient = GradientBound(self.config.clip)
        if self.average is not None:
            self.average = Average(self.model, self.config.ema)

    def judged(self) -> AbstractContextManager[None]:
        """Return a context in which the model has the weights that are judged and kept."""
        return nullcontext() if self.average is None else self.average.applied(self.model)

    def mean_loss(self) -> float:
        """Return the epoch's mean loss so far, or stop where it is no number."""
        mean = float(self.total) / self.epoch_steps
        if math.isfinite(mean):
            return mean
        raise self.diverged("the loss is")

    def close_epoch(self, bar: Step) -> None:
        """Judge the weights, or their running mean, and write the checkpoints."""
        at, loss = self.at, self.mean_loss()
        with self.judged():
            validation = self.validation(self.model, self.loss, self.device, self.ranks)
        if not math.isfinite(validation):
            raise self.diverged("the validation loss is")
        epoch = Epoch(at.epoch + 1, self.seconds(), loss, validation, self.lr)
        # Ctrl-C in between would leave a best epoch that is on no disk.
        with self.reminder.held():
            self.keep(epoch)
        bar.update(
            completed=100.0 * self.done(),
            loss=loss,
            validation=validation,
            description=f"training, {_epochs(at.epoch)}",
        )
        if self.on_epoch is not None:
            self.on_epoch(epoch)

    def keep(self, epoch: Epoch) -> None:
        """Note `epoch` down and write the checkpoints."""
        at = self.at
        at.epoch, at.seconds = epoch.number, epoch.seconds
        self.epoch_steps = 0
        at.history.append(asdict(epoch))
        if at.best_loss is None or epoch.validation_loss < at.best_loss:
            at.best_loss, at.best_epoch = epoch.validation_loss, at.epoch
            if self.ranks.first:
                with self.judged():
                    checkpoint.save(self.directory / BEST, self.model, None, at)
        if self.ranks.first:
            mean = None if self.average is None else self.average.tensors()
            checkpoint.save(self.directory / LAST, self.model, self.optimizer, at, mean)


def _epochs(count: int) -> str:
    return f"{count} epoch{'' if count == 1 else 's'}"
