"""System calls that fail, or at which mlbuild is killed; then the project works.

faults.py MLBUILD WHAT: works in the current directory, exits 1 at the first
thing that is wrong. WHAT is kill, error, files, inodes, readonly or vanish. With
MLBUILD_FAULTS=all every call is taken, else a spread of them.
"""

import os
import re
import resource
import shutil
import subprocess
import sys

import fault_project

ALL = os.environ.get("MLBUILD_FAULTS") == "all"
# What the spread takes of each sweep.
FEW = 2
CALLS = "fsync fdatasync write pwrite64 rename link unlink openat mkdir ftruncate".split()
ERRORS = {
    "fsync": "EIO",
    "fdatasync": "EIO",
    "write": "ENOSPC",
    "pwrite64": "ENOSPC",
    "rename": "EIO",
    "openat": "EMFILE",
    "mkdir": "ENOSPC",
    "ftruncate": "EIO",
}


def die(words):
    print(words)
    sys.exit(1)


class Sweep:
    """Builds of which the Nth call of a kind is harmed, for the Ns that there are."""

    def __init__(self, mlbuild, fresh, follow):
        self.p = fault_project.Project(mlbuild, "project")
        # Of all threads and children each counts for itself, or the main one alone.
        self.fresh, self.follow = fresh, ["-f"] if follow else []
        self.trials = 0
        self.begin()
        if not fresh and self.p.is_usable():
            die(f"without a fault: {self.p.is_usable()}")

    def begin(self):
        if self.fresh:
            self.p.begin_again()
        else:
            self.p.write(self.p.v + 1)

    def strace(self, *words):
        return ["strace", *self.follow, "-qq", "-o", "../trace", *words]

    def last(self, call):
        """How many such calls the thread that makes most of them makes."""
        self.begin()
        self.p.run(before=self.strace("-e", f"trace={call}"))
        count = {}
        with open("trace", errors="replace") as f:
            for line in f:
                if f"{call}(" in line:
                    who = line.split()[0] if self.follow else ""
                    count[who] = count.get(who, 0) + 1
        return max(count.values(), default=0)

    def numbers(self, call):
        last = self.last(call)
        if ALL or last <= FEW:
            return range(1, last + 1)
        return [1 + last * (2 * i + 1) // (2 * FEW) for i in range(FEW)]

    def trial(self, call, what):
        """One harmed build; where the harm was done, as strace tells it."""
        self.begin()
        self.trials += 1
        done = self.p.run(before=self.strace("-e", f"trace={call}", "-e", f"inject={call}:{what}"))
        with open("trace", errors="replace") as f:
            hit = [line for line in f if "INJECTED" in line or "SIGKILL" in line]
        return done, hit

    def then(self, call, what):
        said = self.p.is_usable()
        if said:
            die(f"after {call}:{what} ({'fresh' if self.fresh else 'again'} {self.follow}): {said}")


def sweeps(mlbuild):
    for fresh, follow in ((True, False), (False, True), (True, True), (False, False))[: 4 if ALL else 2]:
        yield Sweep(mlbuild, fresh, follow)


def kill(mlbuild):
    trials = 0
    for sweep in sweeps(mlbuild):
        for call in CALLS:
            for n in sweep.numbers(call):
                what = f"signal=KILL:when={n}"
                sweep.trial(call, what)
                sweep.then(call, what)
        trials += sweep.trials
    print(f"{trials} kills")


def one_error(sweep, call, what):
    done, hit = sweep.trial(call, what)
    said = fault_project.complaint(done)
    # What cannot be printed cannot be read.
    if said and not any(re.search(r"\bwrite\([12],", line) for line in hit):
        die(f"{call}:{what}: {said}\n{''.join(hit)}")
    if done.returncode == 0 and sweep.p.wrong():
        die(f"{call}:{what}: exit 0, {sweep.p.wrong()}")
    sweep.then(call, what)


def error(mlbuild):
    trials = 0
    for sweep in sweeps(mlbuild):
        for call, name in ERRORS.items():
            # A worker's write may be the one to an eventfd by which it tells that it is done.
            if call == "write" and sweep.follow:
                continue
            for n in sweep.numbers(call):
                for more in ("", "+") if ALL else ("+" if n % 2 else "",):
                    one_error(sweep, call, f"error={name}:when={n}{more}")
        trials += sweep.trials
    print(f"{trials} errors")


def harmed(p, what, **how):
    """A run that may fail, with one error; then a project that can be used."""
    done = p.run(**how)
    said = fault_project.complaint(done)
    if said:
        die(f"{what}: {said}")
    if done.returncode == 0 and p.wrong():
        die(f"{what}: exit 0, {p.wrong()}")
    return done


def files(mlbuild):
    """Few descriptors."""
    p = fault_project.Project(mlbuild, "project")
    failed = 0
    for n in range(4, 64, 1 if ALL else 6):
        for fresh in (True, False):
            p.begin_again() if fresh else p.write(p.v + 1)
            limit = lambda n=n: resource.setrlimit(resource.RLIMIT_NOFILE, (n, n))
            failed += harmed(p, f"{n} files", setup=limit).returncode != 0
            said = p.is_usable()
            if said:
                die(f"after {n} files: {said}")
    print(f"{failed} builds failed for want of descriptors")


def mount(*words):
    subprocess.run(["mount", *words], check=True)


def inodes(mlbuild):
    """A file system without room for one more file. Runs in a mount namespace of its own."""
    os.mkdir("mnt")
    failed = 0
    for n in range(6, 60, 1 if ALL else 9):
        mount("-t", "tmpfs", "-o", f"size=16m,nr_inodes={n}", "none", "mnt")
        p = fault_project.Project(mlbuild, "mnt")
        done = harmed(p, f"{n} inodes")
        failed += done.returncode != 0
        if done.returncode and "No space left on device" not in done.stdout + done.stderr:
            die(f"{n} inodes: exit {done.returncode}\n{done.stdout}{done.stderr}")
        mount("-o", "remount,nr_inodes=10000", os.path.abspath("mnt"))
        said = p.is_usable()
        if said:
            die(f"after {n} inodes: {said}")
        subprocess.run(["umount", "mnt"], check=True)
    print(f"{failed} builds failed for want of inodes")


def readonly(mlbuild):
    """A cache that cannot be written. Runs in a mount namespace of its own."""
    p = fault_project.Project(mlbuild, "project")
    said = p.is_usable()
    cache = p.at(".mlbuild", "cache")
    mount("--bind", cache, cache)
    mount("-o", "remount,bind,ro", cache)
    # What is there already can be had.
    said = said or p.is_usable()
    p.remove_outputs()
    said = said or p.is_usable()
    if said:
        die(f"a read-only cache of what is built: {said}")
    p.write(2)
    done = harmed(p, "a read-only cache")
    if done.returncode == 0 or "Read-only file system" not in done.stderr:
        die(f"a read-only cache: exit {done.returncode}\n{done.stdout}{done.stderr}")
    subprocess.run(["umount", cache], check=True)
    said = p.is_usable()
    if said:
        die(f"after a read-only cache: {said}")
    print("a read-only cache is said")


def vanish(mlbuild):
    """A cache that goes away, between builds and in the middle of one."""
    p = fault_project.Project(mlbuild, "project")
    for step in range(6):
        said = p.is_usable(lost=step > 0)
        if said:
            die(f"step {step} of a cache that vanishes: {said}")
        victim = p.at(".mlbuild", "cache", *(["v1"], ["v1", "objects"], ["v1", "packs"])[step % 3])
        shutil.rmtree(victim, ignore_errors=True)
        if step % 2:
            p.write(p.v + 1)
    said = p.is_usable(lost=True)
    if said:
        die(f"at the end of a cache that vanishes: {said}")
    p = fault_project.Project(
        mlbuild, "second", ini="[report vandal]\nrun = rm -rf .mlbuild/cache; cat ${model} > ${out}\nout = report.bin\n"
    )
    done = harmed(p, "a cache that vanishes")
    if done.returncode == 0:
        print("the build went on without its cache")
    p.ini = ""
    p.write(2)
    said = p.is_usable(lost=True)
    if said:
        die(f"after a cache that vanished in a build: {said}")
    print("a cache that vanishes is survived")


if __name__ == "__main__":
    globals()[sys.argv[2]](sys.argv[1])
