"""Time mlbuild against its peers: bench.py --mlbuild PATH [--rows A,B] [--reps N]

Every number is the median of at least five runs by wall clock. Each tool has
its own copy of the graph, and the tools take turns, so that a slow moment of
the machine hits all of them. Prints a Markdown table; the ratios in its last
column are mlbuild's time over a peer's, measured in this run.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import gen
import measure

JOBS = len(os.sched_getaffinity(0))
TOOLS = ("mlbuild", "ninja", "make", "samurai", "snakemake", "dvc")
FILES = {
    "mlbuild": "mlbuild.ini",
    "ninja": "build.ninja",
    "samurai": "build.ninja",
    "make": "Makefile",
    "snakemake": "Snakefile",
    "dvc": "dvc.yaml",
}
STATE = (".mlbuild", "mlbuild.lock", ".ninja_log", ".ninja_deps", ".snakemake", ".dvc", "dvc.lock", ".gitignore")


def command(tool, options):
    return {
        "mlbuild": [options.mlbuild, "-j", str(JOBS)],
        "ninja": ["ninja", "-j", str(JOBS)],
        "samurai": ["samu", "-j", str(JOBS)],
        "make": ["make", "-j", str(JOBS)],
        "snakemake": ["snakemake", "-j", str(JOBS), "--quiet"],
        "dvc": ["dvc", "repro"],
    }[tool]


def present(tool, options):
    return tool == "mlbuild" or shutil.which(command(tool, options)[0]) is not None


class Project:
    """One tool's copy of a graph."""

    def __init__(self, tool, where, count, options):
        self.tool, self.where, self.options = tool, where, options
        self.targets = gen.generate(where, count, (FILES[tool],))
        self.peak = 0
        if tool == "dvc":
            self.prepare_dvc()

    def prepare_dvc(self):
        subprocess.run(["git", "init", "-q"], cwd=self.where, check=True)
        subprocess.run(["dvc", "init", "-q"], cwd=self.where, check=True)

    def run(self, extra=()):
        """Seconds; a failure ends the benchmark."""
        took = measure.run(command(self.tool, self.options) + list(extra), self.where)
        self.peak = max(self.peak, took.peak)
        return took.seconds

    def wipe(self):
        shutil.rmtree(os.path.join(self.where, "out"), ignore_errors=True)
        for layer in range(gen.LAYERS):
            os.makedirs(os.path.join(self.where, "out", str(layer)))
        for name in STATE:
            path = os.path.join(self.where, name)
            shutil.rmtree(path) if os.path.isdir(path) else os.path.exists(path) and os.unlink(path)
        if self.tool == "dvc":
            self.prepare_dvc()

    def edit_leaf(self, text):
        with open(os.path.join(self.where, "src/leaf.txt"), "w") as f:
            f.write(text)

    def times(self):
        return {t.out: os.stat(os.path.join(self.where, t.out)).st_mtime_ns for t in self.targets}


class Bench:
    def __init__(self, options, top):
        self.options, self.top = options, top
        self.tools = [t for t in TOOLS if t in options.tools and present(t, options)]
        self.projects = {}

    def project(self, tool, count):
        key = (tool, count)
        if key not in self.projects:
            where = os.path.join(self.top, f"{tool}-{count}")
            self.projects[key] = Project(tool, where, count, self.options)
            self.say(f"{tool}: first build of {count} targets")
            self.projects[key].run()
        return self.projects[key]

    def say(self, words):
        if not self.options.quiet:
            print(f"... {words}", file=sys.stderr, flush=True)

    def turns(self, count, tools, before, reps=None):
        """Median seconds by tool."""
        took = {t: [] for t in tools}
        for t in tools:
            self.project(t, count)
        for rep in range(reps or self.options.reps):
            for t in tools:
                p = self.project(t, count)
                before(p, rep)
                took[t].append(p.run())
        return {t: statistics.median(v) for t, v in took.items()}

    def slow(self, tools, count):
        """The tools that this size is not meant for are left out, unless asked for."""
        if self.options.slow:
            return tools
        return [t for t in tools if t != "dvc" and (t != "snakemake" or count <= 1000)]

    def noop(self, count):
        for t in self.slow(self.tools, count):
            # Once more than needed: what a tool only notes in its second run is not charged.
            self.project(t, count).run()
        took = self.turns(count, self.slow(self.tools, count), lambda p, rep: None)
        peak = self.project("mlbuild", count)
        fresh = Peak(peak)
        return Row(f"no-op, {count:,} targets", took, note=f"at most {fresh.mib:.0f} MiB")

    def leaf(self, count):
        took = self.turns(count, self.slow(self.tools, count), lambda p, rep: p.edit_leaf(f"leaf {rep} {time.time()}\n"))
        return Row(f"one leaf changed, {count:,}", took)

    def touch(self, count):
        ran = {}
        for t in self.slow(self.tools, count):
            p = self.project(t, count)
            before = p.times()
            time.sleep(0.05)
            os.utime(os.path.join(p.where, "src/0.txt"))
            p.run()
            after = p.times()
            ran[t] = sum(after[o] != before[o] for o in after)
        return Row(f"`touch` of one source, {count:,}: commands", {}, counts=ran)

    def full(self, count):
        tools = self.slow(self.tools, count)
        took = self.turns(count, tools, lambda p, rep: p.wipe(), self.options.full_reps)
        return Row(f"full, {count:,} `cp` commands", took, note=f"storing: {self.copying(count) * 1000:.0f} ms")

    def copying(self, count):
        """What copying all the outputs takes, by one `cp -r`: the price of having them in a cache."""
        where = self.project("mlbuild", count).where
        took = []
        for _ in range(self.options.full_reps):
            to = os.path.join(self.top, "copy")
            began = time.perf_counter()
            subprocess.run(["cp", "-r", os.path.join(where, "out"), to], check=True)
            took.append(time.perf_counter() - began)
            shutil.rmtree(to)
        return statistics.median(took)

    def start(self):
        words = {"mlbuild": [self.options.mlbuild, "version"], "ninja": ["ninja", "--version"], "make": ["make", "--version"]}
        words.update(samurai=["samu", "--version"], snakemake=["snakemake", "--version"], dvc=["dvc", "--help"])
        took = {t: [] for t in self.tools}
        for _ in range(max(self.options.reps, 15)):
            for t in self.tools:
                began = time.perf_counter()
                subprocess.run(words[t], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                took[t].append(time.perf_counter() - began)
        return Row("start-up (`version`)", {t: statistics.median(v) for t, v in took.items()})


class Peak:
    """Peak memory of one more run of a project that is up to date."""

    def __init__(self, project):
        project.peak = 0
        project.run()
        self.mib = project.peak / (1 << 20)


class Row:
    def __init__(self, name, took, note="", counts=None):
        self.name, self.took, self.note, self.counts = name, took, note, counts

    def cell(self, tool):
        if self.counts is not None:
            return str(self.counts[tool]) if tool in self.counts else ""
        if tool not in self.took:
            return ""
        ms = self.took[tool] * 1000
        return f"{ms:,.1f} ms" if ms < 100 else f"{ms:,.0f} ms"

    def ratios(self):
        ours = self.took.get("mlbuild")
        if ours is None:
            return self.note
        words = [f"{ours / t:.2f} × {name}" for name, t in self.took.items() if name != "mlbuild"]
        return ", ".join(words + ([self.note] if self.note else []))


ROWS = {
    "start": lambda b: b.start(),
    "noop-1000": lambda b: b.noop(1000),
    "noop-10000": lambda b: b.noop(10000),
    "noop-100000": lambda b: b.noop(100000),
    "leaf-10000": lambda b: b.leaf(10000),
    "touch-1000": lambda b: b.touch(1000),
    "full-1000": lambda b: b.full(1000),
    "full-10000": lambda b: b.full(10000),
}
# A first build of 100,000 targets takes every tool minutes: only when asked for.
USUAL = [r for r in ROWS if r != "noop-100000"]


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--mlbuild", required=True, help="the program to measure")
    p.add_argument("--rows", default=",".join(USUAL), help="of " + ", ".join(ROWS) + "; or all")
    p.add_argument("--tools", default=",".join(TOOLS), help="of " + ", ".join(TOOLS))
    p.add_argument("--reps", type=int, default=9, help="runs of what is fast (at least 5)")
    p.add_argument("--full-reps", type=int, default=5, help="runs of full builds")
    p.add_argument("--slow", action="store_true", help="every tool in every row, however long it takes")
    p.add_argument("--dir", help="work here, and leave it; else in a temporary directory")
    p.add_argument("--quiet", action="store_true")
    o = p.parse_args()
    o.mlbuild = os.path.abspath(o.mlbuild)
    o.rows = list(ROWS) if o.rows == "all" else o.rows.split(",")
    o.tools = o.tools.split(",")
    for r in o.rows:
        if r not in ROWS:
            p.error(f"no row '{r}': there are {', '.join(ROWS)}")
    return o


def table(rows, tools):
    yield "| work | " + " | ".join(tools) + " | mlbuild is |"
    yield "|---|" + "---|" * (len(tools) + 1)
    for r in rows:
        yield f"| {r.name} | " + " | ".join(r.cell(t) for t in tools) + f" | {r.ratios()} |"


def main():
    options = arguments()
    top = options.dir or tempfile.mkdtemp(prefix="mlbuild-bench.")
    os.makedirs(top, exist_ok=True)
    try:
        bench = Bench(options, top)
        rows = []
        for name in options.rows:
            bench.say(name)
            rows.append(ROWS[name](bench))
        print(f"{JOBS} processors, -j{JOBS}; medians of {options.reps} runs, of {options.full_reps} for full builds\n")
        print("\n".join(table(rows, bench.tools)))
    finally:
        if not options.dir:
            shutil.rmtree(top, ignore_errors=True)


main()
