"""``make bench``: every bench, each in a process of its own."""

import subprocess
import sys
from pathlib import Path

for name in ("stack_bench", "story_bench", "drift_bench", "store_bench", "download_bench"):
    subprocess.run([sys.executable, str(Path(__file__).with_name(f"{name}.py"))], check=True)
