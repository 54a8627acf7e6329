"""What other packages call: record an event, and make a function a command."""

from audit.recording import command, record, record_denied
from audit.targets import Target

__all__ = ["Target", "command", "record", "record_denied"]
