"""What monitoring shows on pages of lower packages."""
