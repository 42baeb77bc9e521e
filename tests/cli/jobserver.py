"""The FIFO form of GNU make's jobserver, as its manual describes it ("POSIX Jobserver Interaction").

jobserver.py client N LOG   take N tokens of the server that MAKEFLAGS names, waiting for them; write "held" to LOG,
                            see that nobody takes that for a reason to start; write "released" and give them back
jobserver.py count          take what can be had at once, print how many, give it back
jobserver.py serve TOKENS COMMAND...
                            serve these tokens (a byte each) to the command; print those that are there when it has
                            ended, sorted; its exit code is the command's
"""

import os
import signal
import subprocess
import sys
import tempfile
import time


def server():
    """The manual: the last --jobserver-auth of MAKEFLAGS counts; a FIFO is opened for reading and writing."""
    auth = [w for w in os.environ.get("MAKEFLAGS", "").split(" -- ")[0].split() if w.startswith("--jobserver-auth=")]
    if not auth:
        sys.exit("MAKEFLAGS names no jobserver: %r" % os.environ.get("MAKEFLAGS"))
    form, _, path = auth[-1].partition("=")[2].partition(":")
    if form != "fifo":
        sys.exit("not the FIFO form: %s" % auth[-1])
    return path


def write_line(path, line):
    with open(path, "a") as f:
        f.write(line + "\n")


def client(n, log):
    fd = os.open(server(), os.O_RDWR)
    held = [os.read(fd, 1) for _ in range(n)]
    write_line(log, "held")
    time.sleep(0.3)  # not to wait for anything: time in which something wrong could happen
    write_line(log, "released")
    for token in held:  # each with the byte that was read for it
        os.write(fd, token)


def drain(fd):
    os.set_blocking(fd, False)
    tokens = b""
    while True:
        try:
            tokens += os.read(fd, 1)
        except BlockingIOError:
            return tokens


def count():
    fd = os.open(server(), os.O_RDWR)
    tokens = drain(fd)
    os.write(fd, tokens) if tokens else None
    print(len(tokens))


def serve(tokens, command):
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "fifo")
        os.mkfifo(path)
        fd = os.open(path, os.O_RDWR)
        os.write(fd, tokens.encode())
        env = dict(os.environ, MAKEFLAGS=" -j%d --jobserver-auth=fifo:%s" % (len(tokens) + 1, path))
        child = subprocess.Popen(command, env=env)
        signal.signal(signal.SIGTERM, lambda *_: child.send_signal(signal.SIGINT))
        code = child.wait()
        print("".join(sorted(drain(fd).decode())))
        sys.exit(code & 255)


if sys.argv[1] == "client":
    client(int(sys.argv[2]), sys.argv[3])
elif sys.argv[1] == "count":
    count()
else:
    serve(sys.argv[2], sys.argv[3:])
