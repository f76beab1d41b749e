"""How fast and how large, beside peers that compute the same: each benchmark is one command."""
