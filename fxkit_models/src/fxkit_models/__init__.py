"""The models that ship with fxkit, found through entry points: one model, one file or folder."""
