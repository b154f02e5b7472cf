"""The models that ship with fxkit: one model, one file (demucs: one folder), found through entry points."""
