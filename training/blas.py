"""One thread for linear algebra: the same numbers on every machine, and no waiting for one another.

The matrices here are small. Two threads of OpenBLAS would spin for each other at every product (measured: a
search took eight times as long on two busy cores), and the order of a sum would depend on how many cores
there are.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Hold NumPy's and SciPy's linear algebra to one thread; also a decorator."""
    import scipy.linalg  # noqa: F401  it brings a BLAS of its own, which must be loaded to be limited

    with threadpool_limits(limits=1, user_api="blas"):
        yield
