"""System calls of checkout and of fsck --repair that fail, or at which they are killed.

place_faults.py MLBUILD WHAT HOW: works in the current directory, exits 1 at the
first thing that is wrong. WHAT is checkout or repair, HOW kill or error. With
MLBUILD_FAULTS=all every call is taken, else a spread of them.

After each trial the same is done again without harm: then everything is at its
place and right, fsck finds nothing, and each file of the user's is still there:
at its place, or set aside.
"""

import os
import shutil
import subprocess
import sys

import fault_project
from faults import ALL, die

FEW = 2
CALLS = (
    "openat write pwrite64 fsync fdatasync rename renameat unlink unlinkat mkdir mkdirat symlinkat ftruncate link linkat"
).split()
ERRORS = {
    "openat": "EMFILE",
    "read": "EIO",
    "pread64": "EIO",
    "write": "ENOSPC",
    "pwrite64": "ENOSPC",
    "fsync": "EIO",
    "fdatasync": "EIO",
    "rename": "EIO",
    "renameat": "EIO",
    "unlink": "EIO",
    "unlinkat": "EIO",
    "mkdir": "ENOSPC",
    "mkdirat": "ENOSPC",
    "symlinkat": "ENOSPC",
    "ftruncate": "EIO",
}
INI = """
[dataset raw]
path = raw
[feature tree]
run = mkdir -p ${{out}}/a/b ${{out}}/none; cp ${{raw}}/r ${{out}}/a/b/f; ln -s a/b/f ${{out}}/l; cp ${{big}} ${{out}}/big; for i in 1 2 3 4 5 6; do echo $i-{v} > ${{out}}/a/$i; done; chmod +x ${{out}}/a/1
out = tree/
"""
# Files of the user's: where something is put, in a directory that is an output, in a source, and where nobody looks.
MINE = {
    "small.txt": b"my small file",
    "tree/a/3": b"my edit",
    "tree/new/x": b"my new file",
    "raw/r": b"my source",
    "raw/mine": b"my own source",
    "notes.txt": b"notes",
}


class Place(fault_project.Project):
    def write(self, v):
        os.makedirs(self.at("raw"), exist_ok=True)
        with open(self.at("raw/r"), "w") as f:
            f.write("a source\n")
        self.ini = INI.format(v=v)
        super().write(v)

    def expected(self):
        want = super().expected()
        for i in range(1, 7):
            want[f"tree/a/{i}"] = f"{i}-{self.v}\n".encode()
        want |= {"raw/r": b"a source\n", "tree/a/b/f": b"a source\n", "tree/l": b"a source\n", "tree/big": want["big.bin"]}
        return want

    def wrong(self):
        said = super().wrong()
        if said:
            return said
        there = sorted(os.path.relpath(os.path.join(d, n), self.where) for d, ds, ns in os.walk(self.at("tree")) for n in ns + ds)
        want = {p for p in self.expected() if p.startswith("tree/")} | {"tree/a", "tree/a/b", "tree/none"}
        if set(there) != want:
            return f"tree has {set(there) ^ want}"
        if not os.access(self.at("tree/a/1"), os.X_OK) or os.readlink(self.at("tree/l")) != "a/b/f":
            return "an executable bit or a link is wrong"
        return ""

    def lost(self):
        """The user's files that are nowhere any more."""
        found = set()
        for top, _, names in os.walk(self.where):
            if "/.mlbuild/cache" in top:
                continue
            for name in names:
                path = os.path.join(top, name)
                if os.path.isfile(path) and os.path.getsize(path) < 100:
                    with open(path, "rb") as f:
                        found.add(f.read())
        return [path for path, text in self.mine.items() if text not in found]


class Trials:
    """A template that each trial begins with, and the command that is harmed."""

    def __init__(self, mlbuild, command):
        self.command, self.trials, self.how = command, 0, ""
        self.p = Place(mlbuild, "project")
        self.p.mine = MINE
        self.prepare()
        shutil.copytree("project", "template", symlinks=True)

    def begin(self):
        shutil.rmtree("project")
        shutil.copytree("template", "project", symlinks=True)

    def strace(self, *words):
        return ["strace", "-f", "-qq", "-o", "../trace", *words]

    def last(self, call):
        """How many such calls the thread that makes most of them makes."""
        self.begin()
        done = self.p.run(*self.command, before=self.strace("-e", f"trace={call}"))
        if done.returncode:
            die(f"without a fault: exit {done.returncode}\n{done.stdout}{done.stderr}")
        self.then(f"without a fault ({call})")
        count = {}
        with open("trace", errors="replace") as f:
            for line in f:
                if f"{call}(" in line:
                    count[line.split()[0]] = count.get(line.split()[0], 0) + 1
        return max(count.values(), default=0)

    def numbers(self, call):
        last = self.last(call)
        if ALL or last <= FEW:
            return range(1, last + 1)
        return [1 + last * (2 * i + 1) // (2 * FEW) for i in range(FEW)]

    def trial(self, call, what):
        self.begin()
        self.trials += 1
        done = self.p.run(*self.command, before=self.strace("-e", f"trace={call}", "-e", f"inject={call}:{what}"))
        lost = self.p.lost()
        if lost:
            die(f"{call}:{what}: {lost} is nowhere\n{done.stdout}{done.stderr}")
        return done

    def kill(self):
        for call in CALLS:
            for n in self.numbers(call):
                self.trial(call, f"signal=KILL:when={n}")
                self.then(f"killed at {call} {n}")

    def error(self):
        for call, name in ERRORS.items():
            for n in self.numbers(call):
                # For good, a read of the eventfd by which a worker tells that it is done would never end.
                for more in ("",) if call == "read" else ("", "+") if ALL else ("+" if n % 2 else "",):
                    what = f"error={name}:when={n}{more}"
                    done = self.trial(call, what)
                    with open("trace", errors="replace") as f:
                        hit = [line for line in f if "INJECTED" in line]
                    said = fault_project.complaint(done)
                    # What cannot be printed cannot be read; nor is a program begun whose libraries cannot.
                    dumb = any("write(1," in line or "write(2," in line for line in hit)
                    # What fsck found is said on stdout.
                    found = done.returncode == 1 and "  problem  " in done.stdout
                    if said and not dumb and not found and "shared librar" not in said:
                        die(f"{call}:{what}: {said}\n{''.join(hit)}")
                    if done.returncode == 0:
                        self.right(f"{call}:{what}: exit 0")
                    self.then(f"{call}:{what}")

    def must(self, what, *words):
        done = self.p.run(*words)
        if done.returncode:
            die(f"{what}: then {' '.join(words)}: exit {done.returncode}\n{done.stdout}{done.stderr}")

    def then(self, what):
        self.must(what, *self.command)
        self.right(what)
        self.must(what, "fsck")


class Checkout(Trials):
    def prepare(self):
        # The lock and the cache are of version 1; in place is version 2 with what the user did to it.
        p = self.p
        self.must("", "build")
        shutil.copy(p.at("mlbuild.lock"), "lock")
        p.write(2)
        self.must("", "build")
        shutil.copy("lock", p.at("mlbuild.lock"))
        shutil.copy(p.at("mlbuild.ini"), "ini")
        p.write(1)
        os.unlink(p.at("model.bin"))
        shutil.rmtree(p.at("dir"))
        for path, text in MINE.items():
            os.makedirs(os.path.dirname(p.at(path)) or ".", exist_ok=True)
            with open(p.at(path), "wb") as f:
                f.write(text)

    def right(self, what):
        if self.p.wrong():
            die(f"{what}: {self.p.wrong()}")
        if self.p.lost():
            die(f"{what}: {self.p.lost()} is nowhere")
        if set(os.listdir(self.p.at("raw"))) != {"r"}:
            die(f"{what}: raw has {os.listdir(self.p.at('raw'))}")


class Repair(Trials):
    def prepare(self):
        p = self.p
        self.must("", "build")
        p.mine = {"notes.txt": MINE["notes.txt"]}
        with open(p.at("notes.txt"), "wb") as f:
            f.write(MINE["notes.txt"])
        # Whatever is damaged, the workspace has it.
        for top, _, names in os.walk(p.at(".mlbuild/cache/v1")):
            for name in sorted(names)[:1]:
                if "/objects/" in top or top.endswith("/packs"):
                    self.damage(os.path.join(top, name))

    def damage(self, path):
        os.chmod(path, 0o644)
        with open(path, "r+b") as f:
            f.seek(os.path.getsize(path) // 2)
            byte = f.read(1)
            f.seek(-1, 1)
            f.write(bytes([byte[0] ^ 1]))
        os.chmod(path, 0o444 if "/objects/" in path else 0o644)

    def right(self, what):
        if self.p.wrong():
            die(f"{what}: {self.p.wrong()}")

    def then(self, what):
        super().then(what)
        self.p.remove_outputs()
        shutil.rmtree(self.p.at("tree"))
        # Who could not read what the workspace had left behind the results that need it.
        self.must(what, "build" if self.how == "error" else "checkout")
        self.right(what + ", put in place again")


if __name__ == "__main__":
    trials = {"checkout": Checkout, "repair": Repair}[sys.argv[2]](
        sys.argv[1], {"checkout": ["checkout"], "repair": ["fsck", "--repair"]}[sys.argv[2]]
    )
    trials.how = sys.argv[3]
    getattr(trials, trials.how)()
    print(f"{trials.trials} trials")
