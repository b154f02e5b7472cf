"""A causal WaveNet for fxkit, in a package of its own."""
