"""Bringing a registry over from an MLflow server: once, resumed where it stopped, and reported."""
