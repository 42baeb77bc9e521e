"""Random graphs and edits against an oracle: random_dag.py MLBUILD GRAPHS EDITS

The oracle is the definition: a command has to run if no build before had the
same command with the same bytes in its inputs. From that early cutoff, A-B-A,
restored outputs and touched files follow by themselves. It is compared with
the names that the commands append to a file outside the project, and with the
bytes of every output. A failure prints the seed, the graph and the edits.
"""

import os
import random
import shutil
import subprocess
import sys
import time

CAPS = (1, 2, 5, 40)


class Node:
    """One target: it joins its inputs and its parameter, and keeps `cap` bytes of that."""

    def __init__(self, name, inputs, cap, tail, variant):
        self.name, self.inputs, self.cap, self.tail, self.variant = name, inputs, cap, tail, variant
        self.out = f"out/{name}.txt"

    def words(self):
        cut = "tail" if self.tail else "head"
        refs = " ".join(i.out if isinstance(i, Source) else "${" + i.name + "}" for i in self.inputs)
        return f"cat {refs} > $$.tmp; printf {self.variant} >> $$.tmp; {cut} -c {self.cap} $$.tmp > ${{out}}; rm $$.tmp"

    def section(self, kind):
        return f'[{kind} {self.name}]\nrun = echo {self.name} >>"$RAN"; {self.words()}\nout = {self.out}\n'

    def made_of(self, content):
        data = "".join(content[i.out] for i in self.inputs) + self.variant
        return data[-self.cap :] if self.tail else data[: self.cap]

    def key(self, content):
        return (self.out, self.words(), tuple(sorted((i.out, content[i.out]) for i in self.inputs)))


class Source:
    def __init__(self, name, text):
        self.out, self.text = name, text

    def write(self):
        with open(self.out, "w") as f:
            f.write(self.text)


class Graph:
    def __init__(self, rng):
        self.rng = rng
        self.sources = [Source(f"s{i}.txt", self.some_text()) for i in range(rng.randint(1, 3))]
        self.nodes = []
        for i in range(rng.randint(3, 9)):
            pool = self.sources + self.nodes
            inputs = rng.sample(pool, rng.randint(1, min(3, len(pool))))
            self.nodes.append(Node(f"n{i}", inputs, rng.choice(CAPS), rng.random() < 0.5, rng.choice("xyz")))
        self.known = {}
        self.edits = []

    def some_text(self):
        return "".join(self.rng.choice("ab") for _ in range(self.rng.randint(1, 3)))

    def write(self):
        order = self.nodes[:]
        self.rng.shuffle(order)
        with open("mlbuild.ini", "w") as f:
            for n in order:
                f.write(n.section(self.rng.choice(("dataset", "feature", "model"))))
        for s in self.sources:
            s.write()

    def closure(self, asked):
        """What has to be known for these, in order."""
        need = set(asked)
        for n in reversed(self.nodes):
            if n in need:
                need.update(i for i in n.inputs if isinstance(i, Node))
        return [n for n in self.nodes if n in need]

    def ask(self):
        """What the next build is told to make: everything, or some."""
        if self.rng.random() < 0.7:
            return []
        return self.rng.sample(self.nodes, self.rng.randint(1, 2))

    def expect(self, asked):
        """Names that have to run, and the content that every output must have."""
        content = {s.out: s.text for s in self.sources}
        names = []
        for n in self.closure(asked):
            key = n.key(content)
            if key not in self.known:
                names.append(n.name)
                self.known[key] = n.made_of(content)
            content[n.out] = self.known[key]
        return sorted(names), content

    def edit(self):
        rng = self.rng
        what = rng.choice(
            ("source",) * 4 + ("command", "command", "touch", "delete", "tamper", "state", "lock", "none", "status")
        )
        getattr(self, "do_" + what)()
        self.edits.append(what)

    def do_none(self):
        pass

    def do_status(self):
        """It looks at every file, and what it saw is remembered."""
        subprocess.run([sys.argv[1], "status"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def do_source(self):
        s = self.rng.choice(self.sources)
        s.text = self.some_text()
        s.write()

    def do_command(self):
        n = self.rng.choice(self.nodes)
        if self.rng.random() < 0.7:
            n.variant = self.rng.choice("xyz")
        else:
            n.cap = self.rng.choice(CAPS)
        self.write()

    def do_touch(self):
        for path in [s.out for s in self.sources] + [n.out for n in self.nodes]:
            if self.rng.random() < 0.5 and os.path.exists(path):
                os.utime(path)

    def do_delete(self):
        for n in self.nodes:
            if self.rng.random() < 0.5 and os.path.exists(n.out):
                os.unlink(n.out)

    def do_tamper(self):
        n = self.rng.choice(self.nodes)
        if os.path.exists(n.out):
            os.unlink(n.out)
        with open(n.out, "w") as f:
            f.write("tampered")

    def do_state(self):
        for name in os.listdir(".mlbuild"):
            if name.startswith("state.db"):
                os.unlink(os.path.join(".mlbuild", name))

    def do_lock(self):
        if os.path.exists("mlbuild.lock"):
            os.unlink("mlbuild.lock")


def build(mlbuild, words, ran):
    open(ran, "w").close()
    done = subprocess.run(
        [mlbuild] + words, env=dict(os.environ, RAN=ran), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60
    )
    with open(ran) as f:
        return done.returncode, done.stdout.decode(), sorted(f.read().split())


def compare(graph, mlbuild, ran):
    """The complaint, or nothing."""
    asked = graph.ask()
    words = [n.name for n in asked]
    graph.edits.append(f"build {' '.join(words)}")
    names, content = graph.expect(asked or graph.nodes)
    code, text, got = build(mlbuild, words, ran)
    if code != 0:
        return f"exit code {code}\n{text}"
    if got != names:
        return f"ran {got}, expected {names}\n{text}"
    for n in asked or graph.nodes:
        with open(n.out) as f:
            have = f.read()
        if have != content[n.out]:
            return f"{n.out} is {have!r}, expected {content[n.out]!r}\n{text}"
    return ""


def main(mlbuild, graphs, edits):
    seed = int(os.environ.get("MLBUILD_SEED", time.time()))
    top = os.getcwd()
    builds = 0
    for i in range(graphs):
        where = os.path.join(top, f"g{i}")
        os.mkdir(where)
        os.chdir(where)
        graph = Graph(random.Random(seed + i))
        graph.write()
        for _ in range(edits + 1):
            wrong = compare(graph, mlbuild, os.path.join(top, "ran"))
            builds += 1
            if wrong:
                print(f"MLBUILD_SEED={seed + i}, after {graph.edits}: {wrong}")
                with open("mlbuild.ini") as f:
                    print(f.read())
                sys.exit(1)
            graph.edit()
        os.chdir(top)
        shutil.rmtree(where)
    print(f"{graphs} graphs, {builds} builds (seed {seed})")


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
