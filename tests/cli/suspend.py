"""mlbuild in the foreground of a terminal, as a shell runs it.

suspend.py run LOG COMMAND...     run it there; what the terminal shows goes to LOG
suspend.py states FILE...         wait until all processes whose numbers are in the files are stopped

`run` types ^Z once the file `started` is there, prints "stopped" when the
command has stopped, waits until the file `resume` is there, and lets it go on.
Its exit code is the command's.
"""

import fcntl
import os
import pty
import signal
import sys
import termios
import threading
import time


def wait_until(what, seconds=60):
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            sys.exit("waited too long")
        time.sleep(0.02)


def state(pid):
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return "gone"


def copy(master, log):
    with open(log, "wb") as out:
        while True:
            try:
                data = os.read(master, 65536)
            except OSError:
                return
            if not data:
                return
            out.write(data)
            out.flush()


def shell(slave, command):
    """Leads the session: a process group without a parent in its session cannot be stopped by ^Z."""
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)
        os.tcsetpgrp(slave, os.getpid())
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
        for fd in range(3):
            os.dup2(slave, fd)
        os.execv(command[0], command)
    while True:
        _, status = os.waitpid(pid, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            os._exit(os.waitstatus_to_exitcode(status) & 255)
        open("stopped", "w").close()
        wait_until(lambda: os.path.exists("resume"), 100)
        os.tcsetpgrp(slave, pid)
        os.killpg(pid, signal.SIGCONT)


def run(log, command):
    master, slave = pty.openpty()
    pid = os.fork()
    if pid == 0:
        os.close(master)
        shell(slave, command)
    os.close(slave)
    threading.Thread(target=copy, args=(master, log), daemon=True).start()
    wait_until(lambda: os.path.exists("started"))
    os.write(master, b"\x1a")
    _, status = os.waitpid(pid, 0)
    sys.exit(os.waitstatus_to_exitcode(status))


if sys.argv[1] == "run":
    run(sys.argv[2], sys.argv[3:])
else:
    pids = []
    for name in sys.argv[2:]:
        with open(name) as f:
            pids.append(int(f.read()))
    # Who waits in vfork for a child that is stopped is in D. Twenty times in a row: then nobody is only on his way.
    calm = 0

    def all_stopped():
        global calm
        calm = calm + 1 if all(state(p) in "TD" for p in pids) else 0
        return calm >= 20

    try:
        wait_until(all_stopped)
    except SystemExit:
        sys.exit("not all are stopped: %s" % [(p, state(p)) for p in pids])
