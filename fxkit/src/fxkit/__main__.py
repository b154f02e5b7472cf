"""``python -m fxkit`` is ``fxkit``."""

from fxkit.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
