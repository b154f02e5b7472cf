"""Find the command, run it, and turn whatever goes wrong into one line and an exit code.

| exit code | meaning |
|---|---|
| 0 | all went well |
| 1 | a law or a training failed, or fxkit or a plug-in has a defect (then with a traceback) |
| 2 | bad input: something that the user can mend |
| 130 | stopped with Ctrl-C |
| 141, 143 | the reader of a pipe went away; the process was told to end |
"""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from typing import NoReturn

from fxkit.errors import FxkitError
from fxkit.registry import nearest

__all__ = ["COMMANDS", "main"]

COMMANDS = {
    "run": "train a model, score it, write its file and a report",
    "tune": "search for good settings, then train with them",
    "render": "play a recording through a model",
    "bootstrap": "make a data set of distorted recordings and a model that cleans them",
    "evaluate": "score a model on recordings",
    "import": "make a model file of another player's file",
    "export": "write a model for another player",
    "allow": "let the program in a model file run",
    "info": "show what is in a model file",
    "list": "show every plug-in that is installed",
    "check": "check that a plug-in keeps the laws",
    "bench": "measure how fast a model plays",
    "version": "show the version",
}
"""Name to what it does; each is a module of this package with `run(arguments) -> exit code`."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (the process's own by default) and return the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        with _told_to_end():
            return _dispatch(arguments)
    except FxkitError as error:
        return _fail(2, str(error))
    except KeyboardInterrupt:
        return _fail(130, "stopped")
    except BrokenPipeError:
        # Whoever read our output has gone.
        _drop_output()
        return 141
    except Exception as error:
        advice = _advice(error)
        if advice is not None:
            try:
                sys.stdout.flush()
            except OSError:  # the disk that standard output goes to is full
                _drop_output()
            return _fail(*advice)
        traceback.print_exc()
        return _fail(1, "this is a defect of fxkit or of a plug-in, please report it")


def _dispatch(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        sys.stdout.write(_usage())
        return 0 if arguments else 2
    name, *rest = arguments
    if name == "--version":
        name = "version"
    if name not in COMMANDS:
        near = nearest(name, COMMANDS)
        hint = f"did you mean {near[0]}?" if near else f"there is {', '.join(COMMANDS)}"
        raise FxkitError(f"no command {name!r}; {hint}")
    module = importlib.import_module(f"fxkit.cli.{name}_command")
    code: int = module.run(rest)
    sys.stdout.flush()
    return code


def _usage() -> str:
    lines = ["usage: fxkit COMMAND ...", "", "Learn a guitar effect and play it live.", ""]
    lines += [f"  {name:<10}{what}" for name, what in COMMANDS.items()]
    lines += ["", "fxkit COMMAND --help says more; fxkit run --help lists every setting.", ""]
    return "\n".join(lines)


def _drop_output() -> None:
    """Let what standard output still holds go nowhere: Python would complain again at its end."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(code: int, message: str) -> int:
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"fxkit: {' '.join(message.split())}\n")
        sys.stderr.flush()
    return code


def _advice(error: Exception) -> tuple[int, str] | None:
    """Return exit code and line for what is no defect though it is no `FxkitError` either."""
    text = " ".join(str(error).split())
    train = sys.modules.get("fxkit.train")
    if train is not None and isinstance(error, train.DivergedError):
        return 1, text
    if isinstance(error, ImportError | OSError) and "torchaudio" in text:
        return 2, (
            f"torchaudio does not fit the installed PyTorch ({text}); "
            "install the two together: pip install --upgrade torch torchaudio"
        )
    if isinstance(error, OSError):
        # A full disk, no permission, a name that is too long: the system's to say, not ours.
        reason = error.strerror or text or type(error).__name__
        return 2, f"{error.filename}: {reason}" if error.filename else reason
    torch = sys.modules.get("torch")
    if isinstance(error, MemoryError) or (
        torch is not None and isinstance(error, torch.OutOfMemoryError)
    ):
        return 2, "not enough memory; make train.batch, train.window or the model smaller"
    return None


@contextlib.contextmanager
def _told_to_end() -> Iterator[None]:
    """Let SIGTERM unwind the stack, so that terminal and files are left in order."""

    def end(number: int, frame: object) -> NoReturn:
        raise SystemExit(128 + number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
