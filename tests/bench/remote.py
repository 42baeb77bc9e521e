"""Time pushes and pulls: remote.py --mlbuild PATH --probe PATH --tests DIR [--rows A,B] [--reps N]

Against a directory, a radosgw and an sshd on loopback, started for this (tests/remotes).
Medians by wall clock, warm page cache; peers move the same data to the same server in
turn. Prints a Markdown table; ratios are of this run.
"""

import argparse
import json
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import measure

MIB = 1 << 20


def small_files(where, n):
    """n files of 0 to 542 bytes, 271 on average, in 100 directories."""
    rng = random.Random(7)
    for d in range(100):
        os.makedirs(f"{where}/{d:02}")
    for i in range(n):
        with open(f"{where}/{i % 100:02}/{i:05}.txt", "wb") as f:
            f.write(rng.randbytes(rng.randrange(543)))


def csv_rows(n, seed=11):
    rng = random.Random(seed)
    return [f"{i},{rng.random():.6f},{rng.randrange(10**6)},name-{rng.randrange(5000)}\n" for i in range(n)]


class Project:
    """A git repository with one dataset that git ignores, and a remote."""

    def __init__(self, bench, where, section):
        self.bench, self.where = bench, where
        os.makedirs(f"{where}/data")
        with open(f"{where}/mlbuild.ini", "w") as f:
            f.write(f"[dataset data]\npath = data\n\n[remote team]\n{section}\n")
        with open(f"{where}/.gitignore", "w") as f:
            f.write("/data\n/.mlbuild\n")
        self.git("init", "-q")

    def git(self, *words):
        name = ["-c", "user.name=bench", "-c", "user.email=bench@localhost"]
        subprocess.run(["git", *name, *words], cwd=self.where, check=True, stdout=subprocess.DEVNULL)

    def commit(self):
        self.git("add", "-A")
        self.git("commit", "-qm", "x", "--allow-empty")

    def mlbuild(self, *words):
        return measure.run([self.bench.options.mlbuild, *words], self.where).seconds

    def told(self, *words):
        """Seconds, and the last object of --json."""
        began = time.perf_counter()
        out = subprocess.run(
            [self.bench.options.mlbuild, *words, "--json"], cwd=self.where, check=True, capture_output=True, text=True
        ).stdout
        took = time.perf_counter() - began
        return took, [json.loads(line) for line in out.splitlines() if '"requests"' in line][-1]

    def clone(self, to):
        self.commit()
        shutil.rmtree(to, ignore_errors=True)
        subprocess.run(["git", "clone", "-q", self.where, to], check=True)
        other = object.__new__(Project)
        other.bench, other.where = self.bench, to
        return other


class Delay:
    """A proxy to a port of loopback that lets every byte wait, half the round trip each way."""

    def __init__(self, port, seconds):
        self.port, self.half = port, seconds / 2
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.address = self.listener.getsockname()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            time.sleep(0)
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        time.sleep(2 * self.half)  # what connecting takes
        server = socket.create_connection(("127.0.0.1", self.port))
        for a, b in ((client, server), (server, client)):
            a.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.carry, args=(a, b), daemon=True).start()

    def carry(self, a, b):
        """What arrives at t leaves at t + half, also if more arrives meanwhile."""
        queue, ready = [], threading.Condition()

        def send():
            while True:
                with ready:
                    while not queue:
                        ready.wait()
                    due, data = queue.pop(0)
                time.sleep(max(0.0, due - time.perf_counter()))
                try:
                    if not data:
                        b.shutdown(socket.SHUT_WR)
                        return
                    b.sendall(data)
                except OSError:
                    return

        threading.Thread(target=send, daemon=True).start()
        while True:
            try:
                data = a.recv(1 << 18)
            except OSError:
                data = b""
            with ready:
                queue.append((time.perf_counter() + self.half, data))
                ready.notify()
            if not data:
                return


class Bench:
    def __init__(self, options):
        self.options = options
        self.work = tempfile.mkdtemp(prefix="mlbuild-bench.", dir=options.dir)
        self.server = None

    def median(self, fn):
        return statistics.median(fn(i) for i in range(self.options.reps))

    def row(self, work, value, beside="", goal=""):
        print(f"| {work} | {value} | {beside} | {goal} |", flush=True)

    # ------------------------------------------------------------ servers

    def s3(self):
        """Keys of [remote] for a new bucket, and the variables that have its credentials."""
        if not self.server:
            script = f'export MLBUILD_SRC="{self.options.tests}/../.."; . "{self.options.tests}/rgw.sh"; rgw_start "$1" >&2; rgw_bucket bench >&2; ' \
                'echo "$RGW_URL $RGW_KEY $RGW_SECRET"; read -r line; rgw_stop'
            self.server = subprocess.Popen(
                ["sh", "-c", script, "rgw", f"{self.work}/rgw"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            )
            self.url, key, secret = self.server.stdout.readline().split()
            os.environ.update(AWS_ACCESS_KEY_ID=key, AWS_SECRET_ACCESS_KEY=secret, AWS_EC2_METADATA_DISABLED="true")
        return self.url

    def section_s3(self, prefix, url=None):
        return f"url = s3://bench/{prefix}\nendpoint = {url or self.s3()}\nregion = default\nstyle = path"

    # ------------------------------------------------------------ rows

    def push_pull(self, name, section_of, fill, goal):
        """Push, push again, and pull in a clone, each time to a new place."""
        push, again, pull, counts = [], [], [], None
        for i in range(self.options.reps):
            p = Project(self, f"{self.work}/{name}{i}", section_of(i))
            fill(f"{p.where}/data")
            p.mlbuild("-q")
            took, counts = p.told("push")
            push.append(took)
            took, idle = p.told("push")
            again.append(took)
            other = p.clone(f"{self.work}/{name}{i}.clone")
            took, got = other.told("fetch")
            pull.append(took)
            shutil.rmtree(p.where)
            shutil.rmtree(other.where)
        self.row(f"{name}: push", f"{statistics.median(push):.2f} s", f"{counts['requests']} requests", goal)
        self.row(f"{name}: push again", f"{statistics.median(again):.3f} s", f"{idle['requests']} requests", "0.2 s")
        self.row(f"{name}: fetch in a clone", f"{statistics.median(pull):.2f} s", f"{got['requests']} requests", goal)

    def small_dir(self):
        self.push_pull(
            "70,000 files, directory", lambda i: f"url = {self.place('dir')}", lambda to: small_files(to, 70000), "2 s"
        )

    def small_s3(self):
        self.push_pull(
            "70,000 files, S3", lambda i: self.section_s3(f"small{i}"), lambda to: small_files(to, 70000),
            "2 s, 50 requests",
        )

    def place(self, name):
        where = tempfile.mkdtemp(prefix=f"{name}.", dir=self.work)
        return where

    def big_dir(self):
        """A file of noise to a directory; beside it cp, and a hash of it by libcrypto."""
        size = self.options.gib * 1024 * MIB
        p = Project(self, f"{self.work}/big", f"url = {self.place('dir')}")
        with open(f"{p.where}/data/noise", "wb") as f:
            rng = random.Random(3)
            for _ in range(size // MIB):
                f.write(rng.randbytes(MIB))
        p.mlbuild("-q")
        took, told = p.told("push")
        machine = []
        for _ in range(self.options.reps):
            began = time.perf_counter()
            subprocess.run(["cp", f"{p.where}/data/noise", f"{self.work}/copy"], check=True)
            subprocess.run([self.options.probe, "hash", f"{p.where}/data/noise"], check=True, stdout=subprocess.DEVNULL)
            machine.append(time.perf_counter() - began)
            os.unlink(f"{self.work}/copy")
        other = p.clone(f"{self.work}/big.clone")
        back, _ = other.told("fetch")
        both = statistics.median(machine)
        self.row(f"{self.options.gib} GiB: push to a directory", f"{took:.2f} s",
                 f"{both:.2f} s: cp and a hash; {both / took:.0%} of it, {told['requests']} requests", "80 %")
        self.row(f"{self.options.gib} GiB: fetch in a clone", f"{back:.2f} s", "", "")
        shutil.rmtree(p.where)
        shutil.rmtree(other.where)

    def csv(self):
        """100 MB of rows; 5 % more at the end; 100 rows inserted anywhere."""
        rows = csv_rows(2_800_000)
        p = Project(self, f"{self.work}/csv", f"url = {self.place('dir')}")

        def push():
            with open(f"{p.where}/data/rows.csv", "w") as f:
                f.writelines(rows)
            p.mlbuild("-q")
            told = p.told("push")[1]
            return os.path.getsize(f"{p.where}/data/rows.csv"), told

        size, told = push()
        self.row(f"CSV of {size / 1e6:.0f} MB: push", f"{told['moved'] / 1e6:.1f} MB sent", "", "")
        whole = told["moved"]
        rows += csv_rows(len(rows) // 20, 13)
        size, told = push()
        self.row("5 % rows appended", f"{told['moved'] / whole:.1%} of the first push sent", "", "6 %")
        rng = random.Random(5)
        for _ in range(100):
            rows.insert(rng.randrange(len(rows)), "inserted,0,0,row\n")
        size, told = push()
        self.row("100 rows inserted", f"{told['moved'] / whole:.1%} of the first push sent", "", "12 %")

    def latency(self):
        """1,000 targets in 20 layers, restored from a remote that is 50 ms away."""
        where = f"{self.work}/graph"
        subprocess.run([sys.executable, f"{os.path.dirname(__file__)}/gen.py", where, "1000"], check=True)
        project = f"{where}/mlbuild" if os.path.isdir(f"{where}/mlbuild") else where
        port = int(self.s3().rsplit(":", 1)[1].strip("/"))
        near = self.section_s3("graph")
        with open(f"{project}/mlbuild.ini", "a") as f:
            f.write(f"\n[remote team]\n{near}\n")
        measure.run([self.options.mlbuild, "-q"], project)
        measure.run([self.options.mlbuild, "push", "-q"], project)
        for lock in (True, False):
            times = []
            for i in range(self.options.reps):
                other = f"{self.work}/graph.clone"
                shutil.rmtree(other, ignore_errors=True)
                shutil.copytree(project, other, ignore=shutil.ignore_patterns(".mlbuild", "out*"))
                if not lock:
                    os.unlink(f"{other}/mlbuild.lock")
                delay = Delay(port, 0.05)
                text = open(f"{other}/mlbuild.ini").read()
                far = f"http://{delay.address[0]}:{delay.address[1]}"
                open(f"{other}/mlbuild.ini", "w").write(text.replace(self.s3(), far))
                times.append(measure.run([self.options.mlbuild, "-q"], other).seconds)
                ran = subprocess.run([self.options.mlbuild, "-q"], cwd=other, check=True)
                delay.listener.close()
                assert ran.returncode == 0
            self.row(f"1,000 targets from 50 ms away, {'with' if lock else 'without'} the lock",
                     f"{statistics.median(times):.2f} s", "", "3 s")

    ROWS = {"small-dir": small_dir, "small-s3": small_s3, "big-dir": big_dir, "csv": csv, "latency": latency}

    def run(self):
        print("| work | mlbuild | beside it | to reach |\n|---|---|---|---|", flush=True)
        try:
            for name in self.options.rows.split(","):
                self.ROWS[name](self)
        finally:
            if self.server:
                self.server.communicate("\n")
            shutil.rmtree(self.work, ignore_errors=True)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--mlbuild", required=True)
    args.add_argument("--probe", required=True)
    args.add_argument("--tests", required=True, help="the directory tests/remotes")
    args.add_argument("--rows", default=",".join(Bench.ROWS))
    args.add_argument("--reps", type=int, default=5)
    args.add_argument("--gib", type=int, default=4)
    args.add_argument("--dir", default=os.environ.get("TMPDIR", "/tmp"))
    options = args.parse_args()
    if unknown := set(options.rows.split(",")) - set(Bench.ROWS):
        args.error(f"no such rows: {', '.join(sorted(unknown))}; there are {', '.join(Bench.ROWS)}")
    Bench(options).run()


if __name__ == "__main__":
    main()
