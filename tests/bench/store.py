"""Time the store on much data: store.py --mlbuild PATH --probe PATH [--rows A,B] [--reps N]

Every number is the median of several runs by wall clock, warm page cache, each
tool with its own copy of the data. The tools take turns. Beside them stands what
the machine itself can do (probe.c): a bare hash, a bare walk, bare creation of
files. Prints a Markdown table; ratios are of this run.
"""

import argparse
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import measure

MIB = 1 << 20


class Tool:
    """A project of one tool with the directory `data` in it."""

    words = ()  # the program that has to be there

    def __init__(self, where, options):
        self.where, self.options = where, options
        self.peak = self.written = 0
        os.makedirs(where)

    def run(self, *words, **env):
        """Seconds; a failure ends the benchmark. Memory and bytes written are noted."""
        took = measure.run(words, self.where, env)
        self.peak, self.written = took.peak, took.written
        return took.seconds

    def can(self, what):
        """Whether this tool has a command for it."""
        return hasattr(self, what)

    def forget(self):
        """Back to a project that has stored nothing."""
        for name in (".mlbuild", "mlbuild.lock", ".git", ".dvc", "data.dvc", ".dvcignore", ".gitignore", "repo"):
            path = os.path.join(self.where, name)
            if os.path.isdir(path):
                shutil.rmtree(path)
            elif os.path.exists(path):
                os.unlink(path)
        self.prepare()

    def prepare(self):
        pass


class Mlbuild(Tool):
    name = "mlbuild"

    def prepare(self):
        with open(os.path.join(self.where, "mlbuild.ini"), "w") as f:
            f.write("[dataset raw]\npath = data\n")

    def store(self):
        return self.run(self.options.mlbuild, "raw")

    noop = store

    def can(self, what):
        return what not in ("checkout", "fsck", "gc") or what in self.options.commands

    def checkout(self):
        return self.run(self.options.mlbuild, "checkout", "raw")

    def gc(self):
        return self.run(self.options.mlbuild, "gc")

    def fsck(self):
        return self.run(self.options.mlbuild, "fsck")


class Dvc(Tool):
    name, words = "dvc", ("dvc",)

    def prepare(self):
        subprocess.run(["git", "init", "-q"], cwd=self.where, check=True)
        subprocess.run(["dvc", "init", "-q"], cwd=self.where, check=True)
        subprocess.run(["dvc", "config", "core.analytics", "false"], cwd=self.where, check=True)

    def store(self):
        return self.run("dvc", "add", "-q", "data")

    def noop(self):
        return self.run("dvc", "status", "-q")

    def checkout(self):
        return self.run("dvc", "checkout", "-q")


class Git(Tool):
    name, words = "git", ("git",)

    def prepare(self):
        subprocess.run(["git", "init", "-q"], cwd=self.where, check=True)

    def store(self):
        return self.run("git", "add", "data")

    def noop(self):
        return self.run("git", "status", "--porcelain", "data")

    def checkout(self):
        return self.run("git", "checkout", "--", "data")


class Restic(Tool):
    name, words = "restic", ("restic",)

    def restic(self, *words):
        return self.run("restic", "-q", "-r", "repo", *words, RESTIC_PASSWORD="x")

    def prepare(self):
        self.restic("init")

    def store(self):
        return self.restic("backup", "data")

    noop = store

    def checkout(self):
        return self.restic("restore", "latest", "--target", ".")


class Borg(Tool):
    name, words = "borg", ("borg",)
    count = 0

    def prepare(self):
        self.run("borg", "init", "-e", "none", "repo")

    def store(self):
        self.count += 1
        self.last = f"repo::{self.count}"
        return self.run("borg", "create", self.last, "data")

    noop = store

    def checkout(self):
        return self.run("borg", "extract", self.last)


TOOLS = (Mlbuild, Dvc, Git, Restic, Borg)


def make_files(data, count, per_dir, least, most):
    rng = random.Random(7)
    for i in range(count):
        if i % per_dir == 0:
            os.makedirs(os.path.join(data, f"{i // per_dir:04}"))
        with open(os.path.join(data, f"{i // per_dir:04}", f"{i:07}.bin"), "wb") as f:
            f.write(rng.randbytes(rng.randint(least, most)))


def change(data, count, per_dir, which, text):
    for i in which:
        with open(os.path.join(data, f"{i // per_dir:04}", f"{i:07}.bin"), "a") as f:
            f.write(text)


class Row:
    """One line: seconds by tool, the machine's own figure, and what else is to be said."""

    def __init__(self, name, took, machine=None, note=""):
        self.name, self.took, self.machine, self.note = name, took, machine, note


class Set:
    """A directory of `count` files, and every tool's copy of it."""

    def __init__(self, bench, count, per_dir, least, most, tools):
        self.bench, self.count, self.per_dir = bench, count, per_dir
        self.size = (least + most) // 2
        self.tools = {}
        for cls in tools:
            t = cls(os.path.join(bench.top, f"{cls.name}-{count}"), bench.options)
            make_files(os.path.join(t.where, "data"), count, per_dir, least, most)
            self.tools[t.name] = t
        time.sleep(0.1)  # what was written just now is read twice by whoever distrusts its time

    def turns(self, what, before=lambda t, rep: None, reps=None):
        tools = {name: t for name, t in self.tools.items() if t.can(what)}
        took = {name: [] for name in tools}
        for rep in range(reps or self.bench.options.reps):
            for name, t in tools.items():
                before(t, rep)
                os.sync()  # nobody waits for what another tool, or making the data, left to be written
                took[name].append(getattr(t, what)())
        return {name: statistics.median(v) for name, v in took.items()}

    def data(self, t):
        return os.path.join(t.where, "data")

    def create(self):
        """Seconds that a bare loop needs to create such files."""
        took = []
        for _ in range(self.bench.options.reps):
            where = os.path.join(self.bench.top, "created")
            os.makedirs(where)
            took.append(self.bench.probe("create", where, self.count, self.per_dir, self.size))
            shutil.rmtree(where)
        return statistics.median(took)

    def rows(self):
        n, m = f"{self.count:,}", self.tools["mlbuild"]
        took = self.turns("store", lambda t, rep: t.forget())
        read = statistics.median([self.bench.probe("read", self.data(m)) for _ in range(self.bench.options.reps)])
        note = f"machine: reading and hashing them on two threads; {self.count / took['mlbuild']:,.0f} files/s"
        yield Row(f"store {n} files", took, read, f"{note}, {m.peak / MIB:.0f} MiB")
        self.turns("noop", reps=1)
        took = self.turns("noop")
        walk = statistics.median([self.bench.probe("walk", self.data(m)) for _ in range(self.bench.options.reps)])
        yield Row(f"nothing to do, {n}", took, walk, "machine: a bare walk with lstat on two threads")
        quiet = took["mlbuild"]
        took = self.turns("store", lambda t, rep: change(self.data(t), self.count, self.per_dir, [rep + 7], "x"))
        note = f"no-op {(took['mlbuild'] - quiet) * 1000:+.0f} ms, {m.written / 1024:.0f} KiB written"
        yield Row(f"one file changed, {n}", took, note=note)
        if self.bench.options.checkout:
            yield from self.checkouts(n, quiet)

    def checkouts(self, n, quiet):
        took = self.turns("checkout", lambda t, rep: shutil.rmtree(self.data(t)))
        yield Row(f"check out {n} files", took, self.create(), "machine: creating them in a bare C loop")
        hundred = range(0, self.count, self.count // 100)

        def damage(t, rep):
            for i in hundred:
                os.unlink(os.path.join(self.data(t), f"{i // self.per_dir:04}", f"{i:07}.bin"))

        self.tools = {k: v for k, v in self.tools.items() if k not in ("restic", "borg")}  # they restore all
        took = self.turns("checkout", damage)
        note = f"no-op {(took['mlbuild'] - quiet) * 1000:+.0f} ms" if "mlbuild" in took else ""
        yield Row(f"check out 100 of {n} files", took, note=note)


def commands_of(mlbuild):
    """The first words of what 'mlbuild help' lists: an older program than this file lacks some commands."""
    text = subprocess.run([mlbuild, "help"], check=True, capture_output=True, text=True).stdout
    return {words[0] for words in map(str.split, text.splitlines()) if words}


class Bench:
    def __init__(self, options, top):
        self.options, self.top = options, top
        self.tools = [t for t in TOOLS if t.name in options.tools and all(shutil.which(w) for w in t.words)]

    def probe(self, *words):
        out = subprocess.run([self.options.probe, *map(str, words)], check=True, capture_output=True, text=True)
        return float(out.stdout)

    def big(self):
        """One large file: beside it hashing alone on one core, and writing and syncing alone."""
        m = Mlbuild(os.path.join(self.top, "big"), self.options)
        data = os.path.join(m.where, "data")
        with open(data, "wb") as f:
            for _ in range(self.options.gib * 1024):
                f.write(random.randbytes(MIB))
        took, hashed, written = [], [], []
        for _ in range(min(self.options.reps, 3)):
            m.forget()
            os.sync()
            took.append(m.store())
            hashed.append(self.probe("hash", data))
            os.sync()
            written.append(self.probe("write", os.path.join(self.top, "written"), self.options.gib << 30))
        h, w = statistics.median(hashed), statistics.median(written)
        note = f"machine: the slower of hashing ({h:.1f} s) and writing with fsync ({w:.1f} s)"
        shutil.rmtree(m.where)
        yield Row(f"store one file of {self.options.gib} GiB", {"mlbuild": statistics.median(took)}, max(h, w), note)

    def several(self):
        """Large files at once: beside it hashing them on two threads, and writing as much alone."""
        m = Mlbuild(os.path.join(self.top, "several"), self.options)
        count, size = 4, (self.options.gib << 30) // 4
        for i in range(count):
            where = os.path.join(m.where, "data", str(i))
            os.makedirs(where)
            with open(os.path.join(where, "large.bin"), "wb") as f:
                for _ in range(size // MIB):
                    f.write(random.randbytes(MIB))
        took, read, written = [], [], []
        for _ in range(min(self.options.reps, 3)):
            m.forget()
            os.sync()
            took.append(m.store())
            read.append(self.probe("read", os.path.join(m.where, "data")))
            os.sync()
            written.append(self.probe("write", os.path.join(self.top, "written"), count * size))
        r, w = statistics.median(read), statistics.median(written)
        note = f"machine: the slower of hashing on two threads ({r:.1f} s) and writing with fsync ({w:.1f} s)"
        shutil.rmtree(m.where)
        name = f"store {count} files of {size / (1 << 30):g} GiB"
        yield Row(name, {"mlbuild": statistics.median(took)}, max(r, w), note)

    def files(self, count):
        if count == 70000:
            s = Set(self, count, 1000, 100, 442, self.tools)
        else:
            s = Set(self, count, 5000, 4096, 4096, self.tools if self.options.slow else self.tools[:1])
        yield from s.rows()
        m = s.tools["mlbuild"]
        for what in ("fsck", "gc"):
            if count >= 1000000:
                took = {"mlbuild": getattr(m, what)()} if m.can(what) else {}
                yield Row(f"{what}, {count:,} objects", took, note=f"{m.peak / MIB:.0f} MiB" if took else "")


ROWS = {
    "big": lambda b: b.big(),
    "several": lambda b: b.several(),
    "70000": lambda b: b.files(70000),
    "1000000": lambda b: b.files(1000000),
}


def seconds(s):
    if s is None:
        return "-"
    return f"{s * 1000:,.0f} ms" if s < 1 else f"{s:,.2f} s"


def line(row, tools):
    ours = row.took.get("mlbuild")
    ratios = [f"{ours / t:.2f} × {name}" for name, t in row.took.items() if name != "mlbuild"] if ours else []
    if ours and row.machine:
        ratios.insert(0, f"{ours / row.machine:.2f} × the machine")
    cells = [seconds(row.took.get(t.name)) for t in tools] + [seconds(row.machine) if row.machine else ""]
    return f"| {row.name} | " + " | ".join(cells) + f" | {'; '.join(ratios + ([row.note] if row.note else []))} |"


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--mlbuild", required=True, help="the program to measure")
    p.add_argument("--probe", required=True, help="probe.c, compiled")
    p.add_argument("--rows", default="big,70000", help="of " + ", ".join(ROWS) + "; or all")
    p.add_argument("--tools", default=",".join(t.name for t in TOOLS), help="of " + ", ".join(t.name for t in TOOLS))
    p.add_argument("--reps", type=int, default=5, help="runs of each command")
    p.add_argument("--gib", type=int, default=4, help="size of the large file")
    p.add_argument("--slow", action="store_true", help="every tool with 1,000,000 files, however long it takes")
    p.add_argument("--no-checkout", dest="checkout", action="store_false")
    p.add_argument("--dir", help="work in here; else in a temporary directory")
    o = p.parse_args()
    o.mlbuild, o.probe = os.path.abspath(o.mlbuild), os.path.abspath(o.probe)
    o.commands = commands_of(o.mlbuild)
    o.rows = list(ROWS) if o.rows == "all" else o.rows.split(",")
    for r in o.rows:
        if r not in ROWS:
            p.error(f"no row '{r}': there are {', '.join(ROWS)}")
    return o


def main():
    options = arguments()
    top = tempfile.mkdtemp(prefix="mlbuild-bench.", dir=options.dir)
    try:
        bench = Bench(options, top)
        print(f"{len(os.sched_getaffinity(0))} processors; medians of {options.reps} runs\n")
        names = [t.name for t in bench.tools] + ["machine"]
        print("| work | " + " | ".join(names) + " | mlbuild is |\n|---|" + "---|" * (len(names) + 1))
        for name in options.rows:
            for row in ROWS[name](bench):
                print(line(row, bench.tools), flush=True)
    finally:
        shutil.rmtree(top, ignore_errors=True)


main()
