"""Trees made to attack, in a cache that somebody else can write.

attack.py MLBUILD: works in the current directory, exits 1 at the first thing
that is wrong. A result record names a tree that no mlbuild would write; the
build must refuse it or make the target itself, and touch nothing else.
"""

import glob
import hashlib
import os
import shutil
import struct
import subprocess
import sys

INI = """\
[dataset dir]
run = echo 1 > ${out}/a; mkdir ${out}/sub; echo 2 > ${out}/sub/b
out = dir/
"""
EVIL = b"evil\n"


def die(words):
    print(words)
    sys.exit(1)


def sha(data):
    return hashlib.sha256(data).digest()


def number(n):
    out = b""
    while n >= 0x80:
        out += bytes([n & 0x7F | 0x80])
        n >>= 7
    return out + bytes([n])


def entry(kind, name, content, size=None):
    """kind: f, x, d (content is a node) or l (content is its text)."""
    length = len(content) if size is None else size
    return kind + number(len(name)) + name + number(length) + sha(content)


def node(entries, count=None):
    return b"mlbt\1d" + number(len(entries) if count is None else count) + b"".join(entries)


def file(name):
    return entry(b"f", name, EVIL)


def inner(name, child, size=len(EVIL)):
    return entry(b"d", name, child, size)


ONE = node([file(b"evil")])
TARGET = os.path.abspath("outside").encode()
LINKS = [b"..", b"../..", TARGET, b"../../outside", b"sub/../../..", b"./..", b"/"]
# A name and a tree, with the objects that it needs.
ATTACKS = {
    "a name that climbs": (node([file(b"../evil")]), []),
    "a name that is ..": (node([inner(b"..", ONE)]), [ONE]),
    "a name that is .": (node([inner(b".", ONE)]), [ONE]),
    "an absolute name": (node([file(TARGET + b"/evil")]), []),
    "a name with a slash": (node([file(b"sub/../../evil")]), []),
    "an empty name": (node([file(b"")]), []),
    "a name with a NUL": (node([file(b"a\0/../evil")]), []),
    ".git": (node([inner(b".git", ONE)]), [ONE]),
    ".GIT": (node([inner(b".GIT", ONE)]), [ONE]),
    ".mlBuild below": (node([inner(b"x", node([inner(b".mlBuild", ONE)]))]), [node([inner(b".mlBuild", ONE)]), ONE]),
    "a file twice": (node([file(b"a"), file(b"a")]), []),
    "a link, then a path through it": (node([entry(b"l", b"a", TARGET), inner(b"a", ONE)]), [TARGET, ONE]),
    "a path, then a link at its place": (node([inner(b"a", ONE), entry(b"l", b"a", TARGET)]), [TARGET, ONE]),
    "names out of order": (node([file(b"b"), file(b"a")]), []),
    "2^63 entries": (node([file(b"a")], 1 << 63), []),
    "2^64 - 1 entries": (node([file(b"a")], (1 << 64) - 1), []),
    "a size of 2^63": (node([entry(b"f", b"a", EVIL, 1 << 63)]), []),
    "sizes that overflow": (node([entry(b"f", n, EVIL, (1 << 63) - 1) for n in (b"a", b"b")]), []),
    "a directory that is a file": (node([entry(b"d", b"a", EVIL)]), []),
    "a directory that lies of its size": (node([inner(b"a", ONE, 7)]), [ONE]),
    "a file that lies of its size": (node([entry(b"f", b"a", EVIL, 6)]), []),
    "a kind that is none": (node([entry(b"p", b"a", EVIL)]), []),
    "an empty link": (node([entry(b"l", b"a", b"")]), [b""]),
    "no node at all": (EVIL, []),
    "nothing": (b"", []),
}
for text in LINKS:
    ATTACKS[f"a link to {text.decode()}"] = (node([entry(b"l", b"a", text)]), [text])


def blob(kind, data):
    head = b"\x89mB\x1a" + struct.pack("<BB2xII", kind, 0, len(data), len(data)) + sha(data)
    return head + sha(head)[:4] + data


def write_pack(directory, kind, contents):
    """An open pack, by the description at the top of pack.c."""
    head = b"mlbpack\n" + struct.pack("<I", 1)
    with open(os.path.join(directory, "open-00000000deadbeef.pack"), "wb") as f:
        f.write(head + sha(head)[:4] + b"".join(blob(kind, data) for data in contents))


def record():
    """The text of the target's result record."""
    with open(glob.glob("template/.mlbuild/cache/v1/actions/open-*")[0], "rb") as f:
        data = f.read()
    return data[data.index(b"mlbuild-result 1\n") :]


def run(mlbuild, *words):
    return subprocess.run(
        [mlbuild, *words], cwd="project", stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )


def outside():
    found = []
    for directory, names, files in os.walk("."):
        names[:] = [n for n in names if os.path.join(directory, n) not in ("./template", "./project/.mlbuild")]
        found += [os.path.join(directory, n) for n in names + files]
    return sorted(found)


def attack(mlbuild, what, tree, more):
    shutil.rmtree("project", ignore_errors=True)
    shutil.copytree("template", "project")
    shutil.rmtree("project/dir")
    os.unlink("project/mlbuild.lock")
    for path in glob.glob("project/.mlbuild/state.db*"):
        os.unlink(path)
    lines = record().split(b"\n")
    for i, line in enumerate(lines):
        words = line.split(b" ")
        if words[0] == b"output":
            lines[i] = b" ".join([b"output tree", sha(tree).hex().encode(), b"%d" % len(EVIL), b"dir"])
        elif words[0] == b"started":
            lines[i] = b"started %d" % (int(words[1]) + 10**9)
    write_pack("project/.mlbuild/cache/v1/packs", 1, [tree, EVIL, *more])
    write_pack("project/.mlbuild/cache/v1/actions", 2, [b"\n".join(lines)])
    done = run(mlbuild)
    text = done.stdout + done.stderr
    if done.returncode not in (0, 1):
        die(f"{what}: exit {done.returncode}\n{text}")
    for path in outside():
        if "evil" in path or os.path.islink(path):
            die(f"{what}: there is {path}, exit {done.returncode}\n{text}")
    with open("outside/canary") as f:
        if f.read() != "mine\n" or os.listdir("outside") != ["canary"]:
            die(f"{what}: it reached {os.listdir('outside')}")
    if done.returncode == 0:
        with open("project/dir/a") as a, open("project/dir/sub/b") as b:
            if a.read() != "1\n" or b.read() != "2\n":
                die(f"{what}: exit 0 and wrong outputs\n{text}")
    elif not any(line.startswith("mlbuild: ") for line in done.stderr.splitlines()) and "failed" not in text:
        die(f"{what}: exit {done.returncode} and no error said\n{text}")
    return done.returncode


def main(mlbuild):
    os.makedirs("outside")
    with open("outside/canary", "w") as f:
        f.write("mine\n")
    os.makedirs("template")
    with open("template/mlbuild.ini", "w") as f:
        f.write(INI)
    if subprocess.run([mlbuild, "-q"], cwd="template").returncode != 0:
        die("without an attack it cannot be built")
    said = [what for what, (tree, more) in ATTACKS.items() if attack(mlbuild, what, tree, more)]
    print(f"{len(ATTACKS)} attacks, {len(said)} of them said: {', '.join(said)}")


main(sys.argv[1])
