"""The Spark session of the tests: two cores of this machine, little room on the driver, small batches."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from features.spark.session import open_session
from serving.settings import use_this_python_on_spark
from tests.required import missing

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

MOST_BYTES_ON_DRIVER = 64 * 1024
QUICK_JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""Java compiles once and lightly: half the time for jobs of a second."""

SPARK_SETTINGS = {
    "spark.driver.extraJavaOptions": QUICK_JAVA,
    "spark.ui.enabled": "false",
    "spark.driver.host": "localhost",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.memory": "1g",
    # Nothing is collected: more than this from all tasks of a job together, and Spark ends the job.
    "spark.driver.maxResultSize": str(MOST_BYTES_ON_DRIVER),
    # Small CRMs in several partitions and many batches: leads lie across batches, batches hold several leads.
    "spark.sql.shuffle.partitions": "3",
    "spark.sql.adaptive.coalescePartitions.enabled": "false",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "20",
    "spark.sql.ansi.enabled": "true",
}


def require_pyspark() -> None:
    """Skip where PySpark is not installed."""
    if find_spec("pyspark") is None:
        missing("PySpark is not installed; pip install 'leadpact[spark]'")


@contextmanager
def local_spark() -> "Iterator[SparkSession]":
    """Give a session on two cores of this machine; skips where there is no PySpark or no Java."""
    require_pyspark()
    from pyspark.sql import SparkSession

    if (
        shutil.which("java") is None
        or subprocess.run(["java", "-version"], capture_output=True, check=False).returncode
    ):
        missing("Java is not installed; Spark needs 17 or newer")
    use_this_python_on_spark()
    builder = SparkSession.builder.master("local[2]")
    for name, value in SPARK_SETTINGS.items():
        builder = builder.config(name, value)
    builder.getOrCreate()
    session = open_session()
    yield session
    session.stop()
