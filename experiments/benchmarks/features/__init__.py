"""LeadPact's features beside DuckDB, polars, pandas and Feast."""
