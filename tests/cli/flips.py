"""Flip bits of the store at random, then build: never a wrong byte.

flips.py MLBUILD TRIALS: works in the current directory, exits 1 at the first
thing that is wrong. Each trial begins with the same project: results of several
parameters, loose objects, an open and a sealed pack, a segment of records, a
database. MLBUILD_SEED chooses the flips, and is printed.
"""

import glob
import hashlib
import os
import random
import shutil
import struct
import sys
import time

import fault_project

PACK_HEAD, BLOB_HEAD = 16, 52
VALUES = (1, 2, 3)


def die(words):
    print(words)
    sys.exit(1)


def seal(path):
    """What sealing does to an open pack, by the description at the top of pack.c."""
    with open(path, "rb") as f:
        data = f.read()
    entries, at = [], PACK_HEAD
    while at < len(data):
        kind, codec, size, stored = struct.unpack_from("<BB2xII", data, at + 4)
        digest = data[at + 16 : at + 48]
        entries.append((digest, struct.pack("<QIIBB2x", at, size, stored, kind, codec)))
        at += BLOB_HEAD + stored
    index = b"".join(digest + rest for digest, rest in sorted(entries))
    tail = b"mlbindx\n" + struct.pack("<I4xQQ", 1, len(data), len(entries))
    data += index + tail + hashlib.sha256(index + tail).digest()
    sealed = os.path.join(os.path.dirname(path), hashlib.sha256(data).hexdigest() + ".pack")
    with open(sealed, "wb") as f:
        f.write(data)
    os.unlink(path)


def build_all(p, values):
    for v in values:
        p.write(v)
        said = p.is_usable()
        if said:
            die(f"without a fault: v = {v}: {said}")


def template(mlbuild):
    p = fault_project.Project(mlbuild, "template", size=140_000)
    build_all(p, VALUES[:2])
    packs = glob.glob(p.at(".mlbuild/cache/v1/packs/open-*"))
    if len(packs) != 1:
        die(f"not one open pack: {packs}")
    seal(packs[0])
    for path in glob.glob(p.at(".mlbuild/state.db*")):
        os.unlink(path)
    # A new one is begun for what is new; the sealed one is found.
    build_all(p, (*VALUES, VALUES[0]))
    return p


PLACES = {
    "loose object": "cache/v1/objects/*/*",
    "open pack": "cache/v1/packs/open-*",
    "sealed pack": "cache/v1/packs/[0-9a-f]*",
    "index": "cache/v1/packs/[0-9a-f]*",
    "segment": "cache/v1/actions/*",
    "database": "state.db",
    "graph": "graph",
    "lock": "../mlbuild.lock",
}
# Whose every byte fsck knows.
KNOWN = ("loose object", "open pack", "sealed pack", "index", "segment")


def choose(rng, p, place):
    """A file of this place and a byte of it, or None."""
    files = [f for f in sorted(glob.glob(p.at(".mlbuild", PLACES[place]))) if os.path.getsize(f)]
    if not files:
        return None
    path = rng.choice(files)
    size = os.path.getsize(path)
    if place == "index":
        with open(path, "rb") as f:
            f.seek(size - 48)
            begin = struct.unpack("<Q", f.read(8))[0]
        return path, rng.randrange(begin, size)
    return path, rng.randrange(size)


def flip(rng, path, at):
    """As a disk does it: neither size nor times tell."""
    before = os.stat(path)
    os.chmod(path, 0o644)
    with open(path, "r+b") as f:
        f.seek(at)
        byte = f.read(1)[0] ^ (1 << rng.randrange(8))
        f.seek(at)
        f.write(bytes([byte]))
    os.chmod(path, before.st_mode & 0o777)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def trial(p, rng, place):
    """What is wrong with what happened, "" if nothing is; and how the build took it."""
    spot = choose(rng, p, place)
    if not spot:
        return "", "not there"
    flip(rng, *spot)
    where = f"bit of byte {spot[1]} of {spot[0]}: "
    if place in KNOWN and rng.random() < 0.3:
        done = p.run("fsck")
        if done.returncode != 1:
            return f"{where}fsck: exit {done.returncode}\n{done.stdout}{done.stderr}", ""
    if rng.random() < 0.2:
        for path in glob.glob(p.at(".mlbuild/state.db*")):
            os.unlink(path)
    p.remove_outputs()
    how = "no matter"
    # Every object is somebody's: all of them are asked for.
    for v in rng.sample(VALUES, len(VALUES)):
        p.write(v)
        done = p.run()
        said = fault_project.complaint(done)
        if said:
            return where + said, ""
        if done.returncode and place != "lock":
            return f"{where}exit {done.returncode}\n{done.stdout}{done.stderr}", ""
        if done.returncode:
            how = "said"
            os.unlink(p.at("mlbuild.lock"))
        elif p.wrong():
            return f"{where}{p.wrong()}, exit 0\n{done.stderr}", ""
        elif "running" in done.stderr:
            how = "made again"
    said = p.is_usable(lost=True)
    return (f"{where}afterwards: {said}" if said else ""), how


def main(mlbuild, trials):
    # What ctest runs is always the same.
    usual = time.time() if os.environ.get("MLBUILD_FAULTS") == "all" else 1
    seed = int(os.environ.get("MLBUILD_SEED", usual))
    t = template(mlbuild)
    count = {place: {} for place in PLACES}
    for i in range(trials):
        rng = random.Random(f"{seed} {i}")
        place = list(PLACES)[i % len(PLACES)]
        shutil.rmtree("project", ignore_errors=True)
        shutil.copytree(t.where, "project")
        p = fault_project.Project.__new__(fault_project.Project)
        p.__dict__.update(t.__dict__, where="project")
        said, how = trial(p, rng, place)
        if said:
            die(f"seed {seed}, trial {i}, {place}: {said}")
        count[place][how] = count[place].get(how, 0) + 1
    print(f"{trials} flips (seed {seed})")
    for place, hows in count.items():
        print(f"  {place}: " + ", ".join(f"{n} {how}" for how, n in sorted(hows.items())))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
