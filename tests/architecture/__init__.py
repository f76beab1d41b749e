"""House rules that a tool can check."""
