"""The losses that ship with fxkit: one family, one file, found through entry points."""
