"""Policies to start from, as TOML; read through importlib.resources."""
