"""Text that people write; apart from ``ui``, whose numbers and times services use without a page."""

from django import template

from core.markdown import plain, rendered

register = template.Library()
register.filter("markdown", rendered)
register.filter("plain", plain)
