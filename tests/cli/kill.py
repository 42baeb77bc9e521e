"""Kill mlbuild at random moments, build again, and look at every output.

kill.py MLBUILD KILLS: works in the current directory, exits 1 at the first
thing that is wrong. The commands write in two steps, so that half an output
would be seen, and leave a process behind in a session of its own, which would
spoil an output a while after the command has ended.
"""

import os
import random
import signal
import subprocess
import sys
import time

INI = """\
[params]
v = {v}
[dataset a]
run = head -c 3 in.txt > ${{out}}; sleep 0.01; tail -c +4 in.txt >> ${{out}}
out = a.txt
[feature b]
run =
    cat ${{a}} > ${{out}}
    p=$$
    (setsid sh -c "while kill -0 $p 2>/dev/null; do sleep 0.01; done; sleep 0.2; echo spoilt >> b.txt" &)
    sleep 0.005
    echo ${{params:v}} >> ${{out}}
out = b.txt
[dataset dir]
run = cp in.txt ${{out}}/1; sleep 0.01; head -c 200000 /dev/zero | tr '\\0' ${{params:v}} > ${{out}}/2
out = dir/
[model c]
run = cat ${{b}} > ${{out}}; cat ${{dir}}/2 ${{dir}}/1 >> ${{out}}
out = c.txt
[report d]
run = wc -c < ${{c}} | tr -d ' ' > ${{out}}
out = d.txt
"""


class Project:
    def __init__(self, mlbuild):
        self.mlbuild = mlbuild
        self.text, self.v = "first\n", 1

    def write(self):
        with open("in.txt", "w") as f:
            f.write(self.text)
        with open("mlbuild.ini", "w") as f:
            f.write(INI.format(v=self.v))

    def start(self):
        return subprocess.Popen(
            [self.mlbuild, "-j4"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def expected(self):
        big = str(self.v) * 200000
        b = f"{self.text}{self.v}\n"
        c = b + big + self.text
        return {
            "a.txt": self.text,
            "b.txt": b,
            "dir/1": self.text,
            "dir/2": big,
            "c.txt": c,
            "d.txt": f"{len(c)}\n",
        }

    def wrong(self):
        for path, want in self.expected().items():
            try:
                with open(path) as f:
                    got = f.read()
            except OSError as e:
                return f"{path}: {e}"
            if got != want:
                return f"{path}: {len(got)} bytes {got[:60]!r}, expected {len(want)} bytes {want[:60]!r}"
        extra = sorted(set(os.listdir("dir")) - {"1", "2"})
        return f"dir has {extra}" if extra else ""


def whole_build(p):
    began = time.monotonic()
    done = p.start()
    text = done.communicate(timeout=60)[0].decode()
    return done.returncode, text, time.monotonic() - began


def die(seed, words):
    print(f"seed {seed}: {words}")
    sys.exit(1)


def main(mlbuild, kills):
    seed = int(os.environ.get("MLBUILD_SEED", time.time()))
    rng = random.Random(seed)
    p = Project(mlbuild)
    p.write()
    code, text, usual = whole_build(p)
    if code or p.wrong():
        die(seed, f"first build: exit {code}, {p.wrong()}\n{text}")
    killed = early = 0
    while killed < kills:
        # Often a state that was built before, so that restoring is hit too.
        p.text = f"text {rng.randrange(6)}\n" if rng.random() < 0.5 else f"text {rng.random()}\n"
        p.v = rng.randrange(1, 4)
        p.write()
        if rng.random() < 0.2:
            for path in ("a.txt", "c.txt"):
                if os.path.exists(path) and rng.random() < 0.7:
                    os.unlink(path)
        child = p.start()
        time.sleep(rng.random() * usual * 1.1)
        if child.poll() is None:
            killed += 1
        else:
            early += 1
        child.send_signal(signal.SIGKILL)
        # Its pipe may be held by what it left: do not wait for its end.
        child.wait()
        child.stdout.close()
        if rng.random() < 0.3:
            p.text = f"text {rng.randrange(6)}\n"
            p.write()
        code, text, took = whole_build(p)
        usual = 0.9 * usual + 0.1 * took
        if code or p.wrong():
            die(seed, f"after {killed} kills: exit {code}, {p.wrong()}\n{text}")
    time.sleep(0.5)
    if p.wrong():
        die(seed, f"something came later: {p.wrong()}")
    print(f"{killed} kills, {early} builds were over before (seed {seed})")


main(sys.argv[1], int(sys.argv[2]))
