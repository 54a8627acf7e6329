"""What lower packages tell us about, and the work it asks for."""
