"""The Spark session of a command, and Spark's failures in one sentence. What it runs is decided elsewhere."""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from features.errors import InputError, LeadPactError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

NO_PYSPARK = "--engine spark needs PySpark; install it with: pip install 'leadpact[spark]'"
NO_JAVA = (
    "--engine spark needs Java 17 or newer, named by JAVA_HOME or found on PATH, and Spark could not start; "
    "on Debian or Ubuntu: apt-get install openjdk-17-jre-headless"
)
SESSION_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.caseSensitive": "true",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
}
"""What equal output rests on: `City` and `city` are two columns, times are stored as on the local engine."""

LOG_LEVEL = "spark.log.level"
LONGEST_SENTENCE = 500
OUR_SENTENCE = re.compile(
    r"^(?:features|training|serving|sla)\.[\w.]*?(?P<kind>\w+Error): (?P<text>.*)", re.MULTILINE | re.DOTALL
)


def open_session() -> "SparkSession":
    """Return the session that is running, or a new one.

    Master and settings are those of spark-submit, spark-defaults.conf or SPARK_REMOTE; without any of them
    Spark runs on all cores of this machine. InputError says what is not installed.
    """
    _keep_back_pandas_warning()
    try:
        from pyspark.errors import PySparkRuntimeError
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise InputError(NO_PYSPARK) from error
    try:
        session = SparkSession.builder.appName("leadpact").getOrCreate()
    except PySparkRuntimeError as error:
        if error.getCondition() != "JAVA_GATEWAY_EXITED":
            raise
        raise InputError(NO_JAVA) from error
    for name, value in SESSION_SETTINGS.items():
        session.conf.set(name, value)
    _keep_back_log(session)
    return session


@contextmanager
def spark_failures_named(doing: str) -> Iterator[None]:
    """Turn a failure of Spark within the block into one sentence that begins with what was being done.

    What our own code refused on a worker is said in its words, wrong input as an InputError; anything else is
    a LeadPactError. Spark's own error is the cause.
    """
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JError) as error:
        ours = OUR_SENTENCE.search(str(error))
        if ours is None:
            raise LeadPactError(f"{doing}: {_sentence(str(error))}") from error
        kind = InputError if ours["kind"] == "InputError" else LeadPactError
        raise kind(ours["text"].strip()) from error


def _sentence(said: str) -> str:
    """Return the line that says what happened: the last of a worker's traceback, else the first.

    An error of the JVM has a line before it that names the call.
    """
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    if "Traceback (most recent call last):" in said:
        return f"a worker failed with {lines[-1]}"[:LONGEST_SENTENCE]
    first = lines[1] if len(lines) > 1 and lines[1].startswith(":") else lines[0]
    return f"Spark says {first.lstrip(': ')}"[:LONGEST_SENTENCE]


def _keep_back_pandas_warning() -> None:
    """Keep back what PySpark 4.3 says of pandas 3 wherever it sees it installed: no data frame is made here.

    Remove when PySpark supports pandas 3.
    """
    warnings.filterwarnings(
        "ignore", message="PySpark does not yet fully support pandas", category=FutureWarning
    )


def _keep_back_log(session: "SparkSession") -> None:
    """Leave it to the error's one sentence to say what failed, unless a log level was asked for."""
    from pyspark.errors import PySparkAttributeError

    if session.conf.get(LOG_LEVEL, "") == "":
        with suppress(PySparkAttributeError):  # a session of Spark Connect has its log on the server
            session.sparkContext.setLogLevel("FATAL")
