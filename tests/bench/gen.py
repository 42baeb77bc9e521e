"""Write one graph for every tool: gen.py DIR TARGETS

20 layers; each target reads three others of the layer below (the first layer
reads sources) and copies the first of them. One target of the last layer reads
a source of its own, src/leaf.txt, which nothing else reads. The same graph is
written as mlbuild.ini, build.ninja, Makefile, Snakefile and dvc.yaml, with the
same `cp` commands and the same paths, and is the same in every run.
"""

import os
import random
import sys

LAYERS = 20
READS = 3


class Target:
    def __init__(self, name, out, reads, sources):
        self.name, self.out = name, out
        self.reads = reads  # other targets
        self.sources = sources  # paths

    def inputs(self):
        return [t.out for t in self.reads] + self.sources


def graph(count):
    """Targets in order, and the paths of the sources."""
    rng = random.Random(1)
    width = max(1, count // LAYERS)
    sources = [f"src/{i}.txt" for i in range(width)]
    targets, below = [], []
    for layer in range(LAYERS):
        row = []
        for i in range(width):
            if layer == 0:
                reads, files = [], rng.sample(sources, min(READS, width))
            else:
                reads, files = rng.sample(below, min(READS, width)), []
            row.append(Target(f"t{layer}_{i}", f"out/{layer}/{i}.txt", reads, files))
        targets += row
        below = row
    targets[-1].sources = targets[-1].sources + ["src/leaf.txt"]
    return targets, sources + ["src/leaf.txt"]


def write_mlbuild(f, targets):
    f.write("[project]\nname = bench\n")
    for t in targets:
        first = "${" + t.reads[0].name + "}" if t.reads else t.sources[0]
        needs = [r.name for r in t.reads[1:]] + (t.sources if t.reads else t.sources[1:])
        f.write(f"\n[dataset {t.name}]\nrun = cp {first} ${{out}}\nout = {t.out}\nneeds = {' '.join(needs)}\n")


def write_ninja(f, targets):
    f.write("rule cp\n  command = cp $in $out\n")
    for t in targets:
        first, *rest = t.inputs()
        f.write(f"build {t.out}: cp {first} | {' '.join(rest)}\n")


def write_make(f, targets):
    f.write("MAKEFLAGS += -rR\n.PHONY: all\nall: \\\n")
    f.write(" \\\n".join(t.out for t in targets) + "\n")
    for t in targets:
        f.write(f"{t.out}: {' '.join(t.inputs())}\n\tcp {t.inputs()[0]} {t.out}\n")


def write_snake(f, targets):
    f.write("rule all:\n    input: [" + ", ".join(f"'{t.out}'" for t in targets) + "]\n")
    for t in targets:
        inputs = ", ".join(f"'{i}'" for i in t.inputs())
        f.write(f"rule {t.name}:\n    input: [{inputs}]\n    output: '{t.out}'\n")
        f.write("    shell: 'cp {input[0]} {output}'\n")


def write_dvc(f, targets):
    f.write("stages:\n")
    for t in targets:
        f.write(f"  {t.name}:\n    cmd: cp {t.inputs()[0]} {t.out}\n    deps:\n")
        f.writelines(f"      - {i}\n" for i in t.inputs())
        f.write(f"    outs:\n      - {t.out}\n")


WRITERS = {
    "mlbuild.ini": write_mlbuild,
    "build.ninja": write_ninja,
    "Makefile": write_make,
    "Snakefile": write_snake,
    "dvc.yaml": write_dvc,
}


def generate(where, count, files=tuple(WRITERS)):
    targets, sources = graph(count)
    os.makedirs(os.path.join(where, "src"), exist_ok=True)
    for layer in range(LAYERS):
        os.makedirs(os.path.join(where, "out", str(layer)), exist_ok=True)
    for path in sources:
        with open(os.path.join(where, path), "w") as f:
            f.write(f"content of {path}\n")
    for name in files:
        with open(os.path.join(where, name), "w") as f:
            WRITERS[name](f, targets)
    return targets


if __name__ == "__main__":
    generate(sys.argv[1], int(sys.argv[2]))
