"""Training scripts: run as processes of their own, as anybody's script would be."""
