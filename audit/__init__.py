"""The ledger of who did what, when and why; it can be appended to and verified, never changed."""

from audit.targets import Target

__all__ = ["Target"]
