"""The MLflow REST surface of the registry: doors only, no tables."""
