"""The same kernel on Spark: whole leads to each worker, nothing on the driver. Imports without PySpark."""
