"""Prompts as people read them: texts, and what changed in them."""
