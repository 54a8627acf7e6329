"""Heavy calculation on tables, run in processes of their own and never in web."""
