"""Hosts that play the built plug-in without a screen, and what the tests play through it."""
