"""How a scorer tells the agent why it ended."""

DIGEST_MISMATCH = 3
CANNOT_LOAD = 4
REASONS = {DIGEST_MISMATCH: "digest_mismatch", CANNOT_LOAD: "cannot_load"}
