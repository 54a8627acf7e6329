"""The Open Data Contract Standard, version 3: our contracts as its documents, and back."""
