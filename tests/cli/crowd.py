"""Many processes that store, check out and collect in one cache at once.

crowd.py MLBUILD SECONDS: works in the current directory, exits 1 at the first
thing that is wrong. Eight workers have a project each, all of them one cache; a
parameter that several of them choose means the same objects and results.
"""

import os
import random
import sys
import time

import fault_project

WORKERS = 8
ALSO = "\n[cache]\ndir = ../cache\n"


def collect(p):
    done = p.run("gc")
    return f"gc: exit {done.returncode}\n{done.stdout}{done.stderr}" if done.returncode else ""


def check_out(p):
    p.remove_outputs()
    done = p.run("checkout")
    if done.returncode or p.wrong():
        return f"checkout: exit {done.returncode}, {p.wrong()}\n{done.stdout}{done.stderr}"
    return ""


def build(p, rng):
    # Mostly what others build too, else what nobody has built.
    p.write(rng.randrange(6) if rng.random() < 0.8 else rng.randrange(10**9))
    if rng.random() < 0.3:
        p.remove_outputs()
    done = p.run()
    if done.returncode or p.wrong():
        return f"build of {p.v}: exit {done.returncode}, {p.wrong()}\n{done.stdout}{done.stderr}"
    return ""


def work(p, number, until):
    """Builds, and what else there is, until it is time; how many of each."""
    rng = random.Random(number)
    count = {"builds": 0, "checkouts": 0, "collections": 0}
    can = {command: p.has(command) for command in ("checkout", "gc")}
    while time.monotonic() < until:
        said = build(p, rng)
        count["builds"] += 1
        if not said and can["checkout"] and rng.random() < 0.5:
            said = check_out(p)
            count["checkouts"] += 1
        if not said and can["gc"] and rng.random() < 0.2:
            said = collect(p)
            count["collections"] += 1
        if said:
            print(f"worker {number}: {said}")
            os._exit(1)
    print(f"worker {number}:", ", ".join(f"{n} {what}" for what, n in count.items()), flush=True)
    os._exit(0)


def main(mlbuild, seconds):
    projects = [fault_project.Project(mlbuild, f"p{i}", size=140_000, ini=ALSO) for i in range(WORKERS)]
    until = time.monotonic() + seconds
    children = []
    for i, p in enumerate(projects):
        p.write(p.v)
        pid = os.fork()
        if pid == 0:
            work(p, i, until)
        children.append(pid)
    failed = [i for i, pid in enumerate(children) if os.waitpid(pid, 0)[1] != 0]
    if failed:
        print(f"workers {failed} failed")
        sys.exit(1)
    for p in projects:
        p.write(p.v)
        said = p.is_usable()
        if said:
            print(f"afterwards, in {p.where}: {said}")
            sys.exit(1)
    print("and the cache is whole")


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
