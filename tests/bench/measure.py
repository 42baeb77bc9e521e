"""What bench.py and store.py share: run a command, and say what it took."""

import os
import subprocess
import sys
import tempfile
import time


class Took:
    """What one command took."""

    def __init__(self, seconds, usage):
        self.seconds = seconds
        self.peak = usage.ru_maxrss * 1024  # bytes of memory
        self.written = usage.ru_oublock * 512  # bytes given to the disk


def run(words, where, env=None):
    """Run a command in a directory with these variables added; a failure ends the benchmark."""
    with tempfile.TemporaryFile() as log:
        began = time.perf_counter()
        child = subprocess.Popen(
            words, cwd=where, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=dict(os.environ, **(env or {}))
        )
        _, status, usage = os.wait4(child.pid, 0)
        took = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            log.seek(0)
            sys.exit(f"{' '.join(words)} failed in {where}:\n{log.read().decode()[-2000:]}")
    return Took(took, usage)
