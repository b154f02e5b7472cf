"""The one kind of error that fxkit shows its user as a line instead of a traceback."""

from __future__ import annotations


class FxkitError(Exception):
    """Something the user can mend: bad input, an unknown name, a file that cannot be used.

    The message is one line that says what is wrong and what to do. The command line prints it and
    exits with code 2; a notebook sees an ordinary exception. Anything else that is raised is a
    defect of fxkit or of a plug-in and keeps its traceback.
    """


class PluginError(FxkitError):
    """A plug-in is unknown, broken, or claimed by two distributions at once."""


class ArtifactError(FxkitError):
    """A model file is damaged, truncated, hostile, or newer than this fxkit."""


class ProgramNotAllowed(ArtifactError):  # noqa: N818 - named for what is the case
    """A model file holds a program that the user has not allowed to run.

    Parameters
    ----------
    sha256
        Of the program, in hexadecimal digits.
    """

    def __init__(self, sha256: str, message: str = "") -> None:
        super().__init__(
            message
            or "it holds a program, which runs only if you trust its source: fxkit allow FILE "
            f"(SHA-256 {sha256})"
        )
        self.hash = sha256
