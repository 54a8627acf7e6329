"""Runs as MLflow's tracking server keeps them, on pages: what MLflow's clients link to."""
