"""Pages about data sets, their contracts, pipelines and their runs."""
