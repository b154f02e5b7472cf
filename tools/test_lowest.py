"""Run the test suite on the lowest versions that our pyproject files declare, torch's aside.

The packages go into a folder of their own that is put in front of the virtual environment's, so
that its torch (gigabytes) is used and nothing in it is changed.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "build" / "lowest"
LEFT_OUT = {"torch", "torchaudio", "fxkit", "fxkit-models", "fxkit-losses"}
# What touches the packages whose versions change; the rest would only repeat `make test`.
TESTS = ["tests/core", "tests/losses"]


def lowest() -> list[str]:
    """Return ``name==version`` for every dependency that is bound from below."""
    pins: dict[str, str] = {}
    for project in ("fxkit", "fxkit_models", "fxkit_losses"):
        data = tomllib.loads((ROOT / project / "pyproject.toml").read_text())
        for requirement in data["project"]["dependencies"]:
            match = re.fullmatch(r"([A-Za-z0-9_.-]+)>=([0-9.]+)", requirement)
            if match is None:
                raise SystemExit(f"{project}: {requirement!r} is not bound from below")
            if match[1].lower() not in LEFT_OUT:
                pins[match[1]] = match[2]
    return [f"{name}=={version}" for name, version in pins.items()]


def main() -> int:
    """Install the lowest versions, say which, and run the tests on them."""
    pins = lowest()
    print("lowest versions:", *pins, flush=True)
    stamp = TARGET / "pins.txt"
    if not stamp.exists() or stamp.read_text() != "\n".join(pins):
        subprocess.run(
            [
                *(sys.executable, "-m", "pip", "install", "--quiet", "--upgrade"),
                *("--only-binary=:all:", "--target", str(TARGET), *pins),
            ],
            check=True,
        )
        stamp.write_text("\n".join(pins))
    environment = {**os.environ, "PYTHONPATH": str(TARGET)}
    return subprocess.run(
        # Old releases use what newer ones of their own dependencies warn about: no defect of ours.
        [sys.executable, "-m", "pytest", "-q", "-W", "default", *TESTS],
        cwd=ROOT,
        env=environment,
        check=False,
    ).returncode


if __name__ == "__main__":
    raise SystemExit(main())
