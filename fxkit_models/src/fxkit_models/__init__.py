"""The models that ship with fxkit: one model, one file, found through entry points."""
