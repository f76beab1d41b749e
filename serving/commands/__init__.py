"""The command line's edge: one file per command; parses, calls one function, prints."""
