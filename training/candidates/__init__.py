"""The models that compete, simplest first: one file each, all with the same face."""
