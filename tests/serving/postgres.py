"""A PostgreSQL cluster of our own for one test session: a temporary folder, a socket in it."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg

from tests.required import missing

SERVER_USER = "postgres"
"""PostgreSQL refuses to run as root; its Debian package brings this user."""


@dataclass
class Cluster:
    """A running server; every call gives a new, empty database."""

    socket_dir: Path
    numbers: Iterator[int] = field(default_factory=count)

    def new_database(self) -> str:
        """Create a database and return its URL."""
        name = f"leadpact_{next(self.numbers)}"
        with psycopg.connect(self._conninfo("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return f"postgresql://{SERVER_USER}@/{name}?host={self.socket_dir}"

    def _conninfo(self, name: str) -> str:
        return f"host={self.socket_dir} dbname={name} user={SERVER_USER}"


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    """Make, start and at the end stop and delete a cluster; skips when there are no server programs."""
    programs = _server_programs()
    folder = Path(tempfile.mkdtemp(prefix="lp-pg-"))
    try:
        _hand_over(folder)
        data = folder / "data"
        _run(programs / "initdb", "-D", data, "-U", SERVER_USER, "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"-k {folder} -c listen_addresses='' -c fsync=off -c max_connections=100"
        _run(programs / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start")
        try:
            yield Cluster(folder)
        finally:
            _run(programs / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _server_programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    if not found and on_path is None:
        missing("PostgreSQL's server programs (initdb, pg_ctl) are not installed")
    return found[-1].parent if found else Path(str(on_path)).parent


def _hand_over(folder: Path) -> None:
    if os.geteuid() == 0:
        user = pwd.getpwnam(SERVER_USER)
        os.chown(folder, user.pw_uid, user.pw_gid)


def _run(*command: str | Path) -> None:
    prefix: Sequence[str] = ("runuser", "-u", SERVER_USER, "--") if os.geteuid() == 0 else ()
    # No pipes: the server keeps what it inherits open, and reading them would wait for its end.
    with tempfile.TemporaryFile() as output:
        arguments = [*prefix, *map(str, command)]
        done = subprocess.run(arguments, stdout=output, stderr=output, check=False, cwd="/")
        output.seek(0)
        assert done.returncode == 0, output.read().decode()
