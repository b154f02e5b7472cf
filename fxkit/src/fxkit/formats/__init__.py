"""The file formats that ship with fxkit: one type, one file, found through entry points."""
