"""Stores that were cut, mixed up or locked away, and clocks that lie.

harm.py MLBUILD WHAT: works in the current directory, exits 1 at the first thing
that is wrong. WHAT is cut, foreign, permissions, clock or tick.
"""

import glob
import os
import random
import shutil
import subprocess
import sys
import time

import fault_project
import flips

ALL = os.environ.get("MLBUILD_FAULTS") == "all"


def die(words):
    print(words)
    sys.exit(1)


def fresh(t):
    shutil.rmtree("project", ignore_errors=True)
    shutil.copytree(t.where, "project")
    p = fault_project.Project.__new__(fault_project.Project)
    p.__dict__.update(t.__dict__, where="project")
    return p


def all_right(p, what):
    """Every parameter's outputs can be had again; damage that a build meets in state.db only by the next."""
    p.remove_outputs()
    for v in flips.VALUES:
        p.write(v)
        said = p.is_usable(lost=True)
        if "state.db' is damaged: it is set aside now" in said:
            said = p.is_usable(lost=True)
        if said:
            die(f"{what}: v = {v}: {said}")


def cut(mlbuild):
    """Files of the store that end too early, or go on with zeros."""
    t = flips.template(mlbuild)
    rng = random.Random(1)
    count = 0
    for place in ("loose object", "open pack", "sealed pack", "segment", "database", "graph"):
        for i in range(40 if ALL else 3):
            p = fresh(t)
            path, at = flips.choose(rng, p, place)
            os.chmod(path, 0o644)
            # Nothing at all, somewhere, in the middle of the last header.
            at = (0, at, os.path.getsize(path) - 1)[i % 3]
            os.truncate(path, at)
            if rng.random() < 0.3:
                os.truncate(path, at + rng.randrange(5000))
            all_right(p, f"{path} cut at {at}")
            count += 1
    print(f"{count} files cut")


def foreign(mlbuild):
    """What does not belong into a store, at every place, is left alone or said."""
    t = flips.template(mlbuild)
    p = fresh(t)
    v1 = p.at(".mlbuild", "cache", "v1")
    packs = glob.glob(os.path.join(v1, "packs", "*"))
    loose = glob.glob(os.path.join(v1, "objects", "*", "*"))
    name = "ab" * 31
    outside = os.path.abspath("outside")
    with open(outside, "w") as f:
        f.write("not yours\n")
    for directory in ("", "objects", "objects/ab", "packs", "actions", "tmp"):
        os.makedirs(os.path.join(v1, directory), exist_ok=True)
        for text in ("notes.txt", ".hidden", name, "open-0123456789abcdef.pack", name + "cdcd.pack", "\udcff\n"):
            with open(os.path.join(v1, directory, text), "w") as f:
                f.write("foreign\n")
        os.mkfifo(os.path.join(v1, directory, "open-fifo56789abcdef.pack"))
        os.mkdir(os.path.join(v1, directory, "open-dir456789abcdef.pack"))
        os.symlink(outside, os.path.join(v1, directory, "open-link6789abcdef.pack"))
    # A pack under the name of another one, an object that is a link, a directory, a FIFO.
    shutil.copy(packs[0], os.path.join(v1, "packs", "cd" * 32 + ".pack"))
    harms = (lambda path: os.symlink(outside, path), os.mkdir, os.mkfifo, lambda path: os.symlink("nowhere", path))
    for path, harm in zip(loose, harms):
        os.unlink(path)
        harm(path)
    all_right(p, "foreign files")
    with open(outside) as f:
        if f.read() != "not yours\n":
            die("a file outside of the store was written")
    print(f"foreign files, {len(loose)} in the place of objects")


def as_nobody(p):
    """For runs that permissions hold: what to do in the child, or None if it cannot be."""
    if os.geteuid() != 0:
        return lambda: None

    def drop():
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)

    for directory, _, names in os.walk(os.path.abspath(p.where)):
        os.chown(directory, 65534, 65534)
        for name in names:
            os.chown(os.path.join(directory, name), 65534, 65534, follow_symlinks=False)
    try:
        return drop if p.run("--version", setup=drop).returncode == 0 else None
    except (OSError, subprocess.SubprocessError):
        return None


def permissions(mlbuild):
    """Parts of the store that may not be read, or not be written."""
    t = flips.template(mlbuild)
    count = 0
    places = ("objects/*/*", "objects/*", "objects", "packs/*", "packs", "actions/*", "actions", "tmp", "")
    for place in places:
        for mode in (0, 0o444, 0o555):
            p = fresh(t)
            drop = as_nobody(p)
            if not drop:
                print("skipped: nobody may not run it here")
                return
            env = {"HOME": os.path.abspath(p.where)}
            paths = glob.glob(p.at(".mlbuild/cache/v1", place))
            for path in paths:
                os.chmod(path, mode)
            p.write(2)
            what = f"{place} with mode {mode:o}"
            done = p.run(env=env, setup=drop)
            said = fault_project.complaint(done)
            if said:
                die(f"{what}: {said}")
            if done.returncode == 0 and p.wrong():
                die(f"{what}: exit 0, {p.wrong()}")
            if done.returncode and "ermission denied" not in done.stdout + done.stderr:
                die(f"{what}: exit {done.returncode}\n{done.stdout}{done.stderr}")
            for path in paths:
                os.chmod(path, 0o755 if os.path.isdir(path) else 0o644)
            done = p.run(env=env, setup=drop)
            if done.returncode or p.wrong():
                die(f"after {what}: exit {done.returncode}, {p.wrong()}\n{done.stdout}{done.stderr}")
            count += 1
    print(f"{count} permissions")


def clock(mlbuild):
    """All that was written seems to be of tomorrow, or of long ago."""
    t = flips.template(mlbuild)
    for days in (1, -10000):
        p = fresh(t)
        when = time.time_ns() + days * 86400 * 10**9
        for directory, names, files in os.walk(p.where):
            for name in names + files:
                os.utime(os.path.join(directory, name), ns=(when, when))
        said = p.is_usable(lost=True)
        if said:
            die(f"times of {days} days: {said}")
        # An edit that keeps size and time is seen all the same.
        for i in range(3):
            p.data = p.data[:100] + bytes([i]) + p.data[101:]
            with open(p.at("in.bin"), "r+b") as f:
                f.write(p.data)
            os.utime(p.at("in.bin"), ns=(when, when))
            said = p.is_usable(lost=True)
            if said:
                die(f"an edit at a time of {days} days: {said}")
    print("clocks that lie are survived")


def tick(mlbuild):
    """Files of one size that change all the time while mlbuild looks at them."""
    p = fault_project.Project(mlbuild, "project", size=3000)
    rng = random.Random(1)
    for i in range(200 if ALL else 12):
        child = subprocess.Popen(
            [mlbuild, "-q"], cwd=p.where, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for _ in range(rng.randrange(1, 400)):
            p.data = rng.randbytes(8) + p.data[8:]
            with open(p.at("in.bin"), "r+b") as f:
                f.write(p.data[:8])
        child.wait()
        # In the tick of its end, too.
        p.data = rng.randbytes(8) + p.data[8:]
        with open(p.at("in.bin"), "r+b") as f:
            f.write(p.data[:8])
        done = p.run()
        if done.returncode != 0 or p.wrong():
            die(f"round {i}: exit {done.returncode}, {p.wrong()}\n{done.stdout}{done.stderr}")
    print("every edit is seen")


if __name__ == "__main__":
    globals()[sys.argv[2]](sys.argv[1])
