"""One reader per origin: a folder of files mapped by SQL, or files that are canonical already."""
