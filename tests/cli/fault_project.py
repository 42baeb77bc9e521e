"""A small project whose outputs are known, for the tests that harm its store.

Of every size: a file that goes into a pack, one that rests loose, a directory.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile

# Seconds that a run may take, traced and on a busy machine; without harm it is far below one.
LIMIT = 60
INI = """\
[params]
v = {v}
[dataset small]
run = echo small ${{params:v}} > ${{out}}
out = small.txt
[dataset big]
run = cat in.bin > ${{out}}; echo ${{params:v}} >> ${{out}}
out = big.bin
[feature dir]
run = cat ${{small}} > ${{out}}/1; mkdir ${{out}}/sub; cat ${{big}} > ${{out}}/sub/2
out = dir/
[model model]
run = cat ${{dir}}/1 ${{dir}}/sub/2 > ${{out}}
out = model.bin
"""


def whole(f):
    f.seek(0)
    return f.read().decode(errors="replace")


class Project:
    def __init__(self, mlbuild, where, size=150_000, ini=""):
        self.mlbuild, self.where, self.ini, self.v = mlbuild, where, ini, 1
        os.makedirs(where, exist_ok=True)
        self.data = random.Random(7).randbytes(size)
        with open(self.at("in.bin"), "wb") as f:
            f.write(self.data)
        self.write(1)

    def at(self, *names):
        return os.path.join(self.where, *names)

    def write(self, v):
        self.v = v
        with open(self.at("mlbuild.ini"), "w") as f:
            f.write(INI.format(v=v) + self.ini)

    def run(self, *words, before=(), env=None, setup=None):
        """What subprocess says of `mlbuild WORDS`, run by way of the words before; one that hangs ends the test."""
        command = [*before, self.mlbuild, *words]
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            # Not by pipes, which what outlives its tracer would hold open; and a session, so that it can be killed.
            child = subprocess.Popen(
                command,
                cwd=self.where,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env={**os.environ, **(env or {})},
                preexec_fn=setup,
                start_new_session=True,
            )
            try:
                code = child.wait(LIMIT)
            except subprocess.TimeoutExpired:
                code = None
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
            text = [whole(out), whole(err)]
        if code is None:
            print(f"hangs: {' '.join(command)}\n{''.join(text)}")
            sys.exit(1)
        return subprocess.CompletedProcess(command, code, *text)

    def expected(self):
        small = f"small {self.v}\n".encode()
        big = self.data + f"{self.v}\n".encode()
        return {
            "small.txt": small,
            "big.bin": big,
            "dir/1": small,
            "dir/sub/2": big,
            "model.bin": small + big,
        }

    def wrong(self):
        """What is wrong with the outputs, "" if nothing is."""
        for path, want in self.expected().items():
            try:
                with open(self.at(path), "rb") as f:
                    got = f.read()
            except OSError as e:
                return str(e)
            if got != want:
                return f"{path} has {len(got)} bytes that are wrong, expected {len(want)}"
        extra = set(os.listdir(self.at("dir"))) - {"1", "sub"}
        return f"dir has {extra}" if extra else ""

    def remove_outputs(self):
        for path in ("small.txt", "big.bin", "model.bin"):
            if os.path.lexists(self.at(path)):
                os.unlink(self.at(path))
        shutil.rmtree(self.at("dir"), ignore_errors=True)

    def begin_again(self):
        self.remove_outputs()
        shutil.rmtree(self.at(".mlbuild"), ignore_errors=True)
        for path in ("mlbuild.lock", ".gitignore"):
            if os.path.lexists(self.at(path)):
                os.unlink(self.at(path))

    def is_usable(self, lost=False):
        """Build, look at the outputs, build again; "" if that is as it should be.

        lost: parts of the cache were, so that fsck has something to say.
        """
        done = self.run()
        if done.returncode != 0 or self.wrong():
            return f"exit {done.returncode}, {self.wrong()}\n{done.stdout}{done.stderr}"
        done = self.run()
        if done.returncode != 0 or self.wrong() or "running" in done.stdout + done.stderr:
            return f"once more: exit {done.returncode}, {self.wrong()}\n{done.stdout}{done.stderr}"
        return "" if lost else self.fsck()

    def has(self, command):
        """Is there such a command?"""
        return self.run(command, "--help").stdout.startswith(f"Usage: mlbuild {command}")

    def fsck(self):
        """"" where fsck finds nothing wrong."""
        done = self.run("fsck")
        return f"fsck: exit {done.returncode}\n{done.stdout}{done.stderr}" if done.returncode else ""


def complaint(done):
    """What is wrong with how a run that may fail ended, "" if nothing is."""
    text = done.stdout + done.stderr
    if done.returncode == 127 and "loading shared libraries" in text:
        return ""  # it was not even begun
    if done.returncode < 0 or done.returncode > 4:
        return f"exit {done.returncode}\n{text}"
    if any(word in text for word in ("Sanitizer", "runtime error", "Assertion")):
        return text
    said = [line for line in done.stderr.splitlines() if line.startswith("mlbuild: ")]
    if len(said) > 1:
        return "more than one error:\n" + text
    if done.returncode and not said and "failed" not in text:
        return f"exit {done.returncode} and no error said:\n{text}"
    return ""
