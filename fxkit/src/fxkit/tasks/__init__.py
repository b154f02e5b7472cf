"""The tasks that come with fxkit."""
