"""`python -m serving` is `leadpact`."""

from serving.cli import main

main()
