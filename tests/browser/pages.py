"""Pages that need nothing but somebody signed in: add yours here and it is checked in every look.

Pages that need rows have a test beside this file, such as ``test_registry_pages.py``: make the rows,
then ``visitor.open(path)`` and ``visitor.check_looks()``.
"""

# account of the cast -> addresses
PAGES = {
    "admin": ["/inbox/", "/settings/tokens/", "/settings/profile/", "/admin/system/", "/admin/people/", "/groups/", "/jobs/", "/search/?q=m"],
    "scientist": ["/models/", "/styleguide/", "/nothing/here/", "/api/docs/", "/api/docs/models/"],
}  # fmt: skip
