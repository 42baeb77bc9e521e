"""gc is killed; then the cache is whole, nothing that is needed is lost, and gc ends the work.

gc_kill.py MLBUILD: works in the current directory, exits 1 at the first thing
that is wrong. With MLBUILD_FAULTS=all every system call is taken, else a spread.
"""

import fcntl
import os
import random
import shutil
import subprocess
import sys
import time

ALL = os.environ.get("MLBUILD_FAULTS") == "all"
FEW = 2
CALLS = "openat write pwrite64 fsync fdatasync rename unlink unlinkat rmdir mkdir flock ftruncate fchmod".split()
LEASES = "project/.mlbuild/cache/v1/leases"
# alone: what is dead goes. beside: a process uses the cache, it is set aside. after: that has ended, another one runs
MODES = ("alone", "beside", "after")
INI = """\
[feature big]
run = echo big >> ran; { cat in.txt; head -c 200000 /dev/zero | tr '\\0' b; } > ${out}
needs = in.txt
out = out/big

[feature dir]
run = echo dir >> ran; for i in $(seq 40); do echo $i-$(cat in.txt) > ${out}/$i; done
needs = in.txt
out = out/dir/
"""
VERSIONS = 4


def die(words):
    print(words)
    sys.exit(1)


def run(where, *words, **how):
    return subprocess.run(words, cwd=where, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **how)


def age(where):
    old = time.time() - 2 * 24 * 3600
    for top, _, names in os.walk(os.path.join(where, ".mlbuild/cache")):
        for name in names:
            os.utime(os.path.join(top, name), (old, old))


def files(where):
    found = {}
    for top, _, names in os.walk(os.path.join(where, "out")):
        for name in names:
            path = os.path.join(top, name)
            with open(path, "rb") as f:
                found[os.path.relpath(path, where)] = f.read()
    return found


def objects(where):
    return sum(len(names) for _, _, names in os.walk(os.path.join(where, ".mlbuild/cache/v1/objects")))


class Lease:
    """As a process that uses the cache has one."""

    def __init__(self, name):
        self.path = os.path.join(LEASES, name)

    def __enter__(self):
        os.makedirs(LEASES, exist_ok=True)
        self.file = open(self.path, "w")
        self.file.write(f"mlbuild-lease 1\n{time.time_ns()}\na test\n")
        self.file.flush()
        fcntl.flock(self.file, fcntl.LOCK_EX)

    def __exit__(self, *_):
        self.file.close()


class Trials:
    def __init__(self, mlbuild):
        self.mlbuild, self.n, self.mode = mlbuild, 0, MODES[0]
        os.mkdir("template")
        with open("template/mlbuild.ini", "w") as f:
            f.write(INI)
        with open("template/.mlbuildignore", "w") as f:
            f.write("ran\n")
        for v in range(VERSIONS):
            with open("template/in.txt", "w") as f:
                f.write(f"version {v}\n")
            self.must("template", "build")
        os.unlink("template/ran")
        self.want = files("template")
        age("template")

    def must(self, where, *words):
        done = run(where, self.mlbuild, *words)
        if done.returncode != 0:
            die(f"mlbuild {' '.join(words)}: exit {done.returncode}\n{done.stdout}")
        return done.stdout

    def begin(self):
        shutil.rmtree("project", ignore_errors=True)
        shutil.copytree("template", "project", symlinks=True)
        # By it the template would be another project that needs all this.
        shutil.rmtree("project/.mlbuild/cache/v1/roots")
        self.n += 1
        if self.mode == "after":
            with Lease("0123456789abcdef"):
                self.must("project", "gc", "--keep-days", "0")

    def gc(self, *before):
        """Exit code is whatever it is."""
        words = [*before, self.mlbuild, "gc", "--keep-days", "0"]
        if self.mode == "alone":
            return run("project", *words)
        with Lease("fedcba9876543210"):
            return run("project", *words)

    def check(self, what):
        """Whole, and right."""
        said = run("project", self.mlbuild, "fsck")
        if said.returncode != 0:
            die(f"{what}: fsck: exit {said.returncode}\n{said.stdout}")
        shutil.rmtree("project/out")
        self.must("project", "build")
        if os.path.exists("project/ran"):
            die(f"{what}: something was built again")
        if files("project") != self.want:
            die(f"{what}: the outputs are not what they were")
        age("project")
        said = self.must("project", "gc", "--keep-days", "0")
        self.must("project", "fsck")
        if objects("project") != 1:
            die(f"{what}: {objects('project')} large objects are left\n{said}")
        if os.path.exists("project/.mlbuild/cache/v1/condemned"):
            die(f"{what}: something is still set aside\n{said}")

    def traced(self, call, *inject):
        self.begin()
        return self.gc("strace", "-f", "-qq", "-o", "../trace", "-e", f"trace={call}", *inject)

    def sweep(self, call):
        self.traced(call)
        count = {}
        with open("trace", errors="replace") as f:
            for line in f:
                if f"{call}(" in line:
                    count[line.split()[0]] = count.get(line.split()[0], 0) + 1
        last = max(count.values(), default=0)
        some = range(1, last + 1)
        if not ALL and last > FEW:
            some = sorted({1 + (last - 1) * i // (FEW - 1) for i in range(FEW)})
        for n in some:
            self.traced(call, "-e", f"inject={call}:signal=KILL:when={n}")
            self.check(f"{self.mode}: killed at {call} {n}")

    def at_random(self, times):
        for _ in range(times):
            self.begin()
            gc = subprocess.Popen(
                [self.mlbuild, "gc", "--keep-days", "0"],
                cwd="project",
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            after = random.uniform(0, 0.05)
            time.sleep(after)
            gc.kill()
            gc.wait()
            self.check(f"killed after {after:.4f} s")


def main():
    trials = Trials(sys.argv[1])
    trials.begin()
    trials.must("project", "gc", "--keep-days", "0")
    trials.check("not killed")
    if run(".", "strace", "-o", "/dev/null", "true").returncode == 0:
        for trials.mode in MODES:
            for call in CALLS:
                trials.sweep(call)
        trials.mode = MODES[0]
    trials.at_random(200 if ALL else 10)
    print(f"{trials.n} trials")


main()
