"""What other packages call: record an event, hear of recorded ones, and make a function a command."""

from audit.commands import command
from audit.recording import Recorded, on_recorded, record, record_denied
from audit.targets import Target

__all__ = ["Recorded", "Target", "command", "on_recorded", "record", "record_denied"]
