"""What the monitoring pages show, read from windows; the REST doors read the same."""
