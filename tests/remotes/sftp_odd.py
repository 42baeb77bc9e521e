#!/usr/bin/python3
"""An SFTP server (version 3) on stdin and stdout that is odd, or lies, as it is told.

    sftp_odd.py [OPTION...]     what stands for ssh in a test: unknown words are ignored

    --ext=NAME,...    extensions it has: posix-rename hardlink fsync statvfs limits
    --short=N         a READ brings at most N bytes
    --shuffle         answers to READs come in another order
    --no-size         attributes tell no size
    --started=FILE    append a line for each start
    --asked=FILE      on exit, bytes that READs asked for
    --lie=WHAT[@N]    from the Nth answer on (1, after the greeting), see lie()
"""
import errno
import os
import random
import select
import struct
import sys

opts = {}
for word in sys.argv[1:]:
    if word.startswith("--") and word != "--":
        key, _, value = word[2:].partition("=")
        opts[key] = value or True

if "started" in opts:
    with open(opts["started"], "a", encoding="ascii") as f:
        f.write("start\n")

out = sys.stdout.buffer
came = bytearray()
names = {b"posix-rename@openssh.com": b"1", b"hardlink@openssh.com": b"1",
         b"fsync@openssh.com": b"1", b"statvfs@openssh.com": b"2", b"limits@openssh.com": b"1"}
have = [n.encode() for n in str(opts.get("ext", "")).split(",") if n]
handles = {}
waiting = []
answers = 0
asked = 0
what, _, when = str(opts.get("lie", "")).partition("@")
when = int(when or 1)


def u32(n):
    return struct.pack(">I", n)


def u64(n):
    return struct.pack(">Q", n)


def string(s):
    return u32(len(s)) + s


def send(kind, body):
    out.write(u32(len(body) + 1) + bytes([kind]) + body)
    out.flush()


def lie(kind, rid, body):
    """Sends something else than that answer; false: the truth is sent."""
    if what == "wrong-id":
        send(kind, u32(rid ^ 0x5000) + body)
    elif what == "twice":
        send(kind, u32(rid) + body)
        send(kind, u32(rid) + body)
    elif what == "huge":
        out.write(b"\x7f\xff\xff\xff" + bytes([kind]) + u32(rid) + body)
        out.flush()
    elif what == "request":
        send(3, u32(rid) + body)
    elif what == "empty":
        out.write(u32(0) * 4)
        out.flush()
    elif what == "cut":
        send(kind, u32(rid) + body[:-1])
    elif what == "die":
        os._exit(255)
    elif what == "long-handle" and kind == 102:
        send(kind, u32(rid) + string(b"h" * 100000))
    elif what == "too-much" and kind == 103:
        send(kind, u32(rid) + string(b"x" * 200000))
    elif what == "nothing" and kind == 103:
        send(kind, u32(rid) + string(b""))
    elif what == "handle-for-data" and kind == 103:
        send(102, u32(rid) + string(b"h"))
    elif what == "ok-for-data" and kind == 103:
        send(101, u32(rid) + u32(0) + string(b"") + string(b""))
    elif what == "eof" and kind == 103:
        send(101, u32(rid) + u32(1) + string(b"") + string(b""))
    elif what == "many-names" and kind == 104:
        send(kind, u32(rid) + u32(0xffffffff) + body[4:])
    elif what.startswith("name=") and kind == 104:
        name = {"slash": b"a/b", "up": b"../../etc/passwd", "nul": b"a\0b"}[what[5:]]
        send(kind, u32(rid) + u32(1) + string(name) + string(b"") + u32(0))
    elif what == "endless" and kind in (104, 101):
        send(104, u32(rid) + u32(1) + string(b"again") + string(b"") + u32(0))
    elif what == "silent":
        pass
    else:
        return False
    return True


def answer(kind, rid, body):
    global answers
    answers += 1
    if not (what and answers >= when and lie(kind, rid, body)):
        send(kind, u32(rid) + body)


def status(rid, code, words=b""):
    answer(101, rid, u32(code) + string(words) + string(b""))


def failed(rid, e):
    codes = {errno.ENOENT: 2, errno.ENOTDIR: 2, errno.EACCES: 3, errno.EPERM: 3}
    status(rid, codes.get(e.errno, 4), b"Failure")


def attrs(st):
    flags = 0xc if "no-size" in opts else 0xd
    size = b"" if "no-size" in opts else u64((1 << 40) if what == "starve" else st.st_size)
    return u32(flags) + size + u32(st.st_mode) + u32(int(st.st_atime)) + u32(int(st.st_mtime))


class Body:
    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, n):
        if self.at + n > len(self.data):
            sys.exit("a request is cut off")
        self.at += n
        return self.data[self.at - n:self.at]

    def u32(self):
        return struct.unpack(">I", self.take(4))[0]

    def u64(self):
        return struct.unpack(">Q", self.take(8))[0]

    def string(self):
        return self.take(self.u32())


def open_file(rid, b):
    path, how = b.string(), b.u32()
    flags = {1: os.O_RDONLY, 2: os.O_WRONLY, 3: os.O_RDWR}[how & 3]
    flags |= (os.O_CREAT if how & 8 else 0) | (os.O_EXCL if how & 0x20 else 0)
    fd = os.open(path, flags, 0o666)
    handles[b"f%d" % fd] = fd
    answer(102, rid, string(b"f%d" % fd))


def read(rid, b):
    global asked
    fd, at, n = handles[b.string()], b.u64(), b.u32()
    asked += n
    if what == "starve":
        if at:
            answer(103, rid, string(b"x" * n))
        return
    data = os.pread(fd, min(n, int(opts.get("short", n))), at)
    waiting.append((103, rid, string(data)) if data else (101, rid, u32(1) + string(b"") * 2))


def write(rid, b):
    fd, at, data = handles[b.string()], b.u64(), b.string()
    if what in ("full", "no-write"):
        status(rid, 4, b"Failure")
        return
    os.pwrite(fd, data, at)
    status(rid, 0)


def opendir(rid, b):
    path = b.string()
    handles[b"d" + path] = (path, os.listdir(path))
    answer(102, rid, string(b"d" + path))


def readdir(rid, b):
    key = b.string()
    path, left = handles[key]
    if not left:
        status(rid, 1)
        return
    some, handles[key] = left[:3], (path, left[3:])
    body = b""
    for name in some:
        body += string(name) + string(b"-") + attrs(os.lstat(os.path.join(path, name)))
    answer(104, rid, u32(len(some)) + body)


def rename(rid, b):
    old, new = b.string(), b.string()
    if os.path.lexists(new):
        status(rid, 4, b"Failure")
        return
    os.rename(old, new)
    status(rid, 0)


def extended(rid, b):
    name = b.string()
    if name.split(b"@", maxsplit=1)[0] not in have:
        status(rid, 8)
    elif name == b"limits@openssh.com":
        answer(201, rid, u64(34000) + u64(4000) + u64(5000) + u64(100))
    elif name == b"statvfs@openssh.com":
        free = 0 if what == "full" else 1 << 30
        answer(201, rid, b"".join(u64(n) for n in (4096, 4096, free, free, free, 9, 9, 9, 1, 0, 255)))
    elif name == b"fsync@openssh.com":
        os.fsync(handles[b.string()])
        status(rid, 0)
    elif name == b"posix-rename@openssh.com":
        old = b.string()
        os.rename(old, b.string())
        status(rid, 0)
    elif what == "no-links":
        status(rid, 4, b"Failure")
    else:
        old = b.string()
        os.link(old, b.string())
        status(rid, 0)


def simple(function):
    def run(rid, b):
        function(b.string())
        status(rid, 0)
    return run


def close(key):
    handle = handles.pop(key)
    if isinstance(handle, int):
        os.close(handle)


def stat(rid, b):
    answer(105, rid, attrs(os.stat(b.string())))


def fstat(rid, b):
    answer(105, rid, attrs(os.fstat(handles[b.string()])))


verbs = {3: open_file, 4: simple(close), 5: read, 6: write, 8: fstat, 11: opendir, 12: readdir,
         13: simple(os.unlink), 14: simple(os.mkdir), 17: stat, 18: rename, 200: extended}


def flush_reads(all_of_them):
    """READs wait for others, so that there is something to shuffle."""
    if len(waiting) < 6 and not all_of_them:
        return
    if "shuffle" in opts:
        random.shuffle(waiting)
    while waiting:
        answer(*waiting.pop(0))


def fill():
    """Waits for bytes; false at the end."""
    part = os.read(0, 1 << 20)
    came.extend(part)
    return bool(part)


def next_packet():
    while len(came) < 4 or len(came) < 4 + struct.unpack(">I", came[:4])[0]:
        if not fill():
            return None
    end = 4 + struct.unpack(">I", came[:4])[0]
    packet = bytes(came[4:end])
    del came[:end]
    return packet


def idle():
    """Nothing has come that is not answered: what waits for company waits no more."""
    return not came and not select.select([0], [], [], 0.01)[0]


def greet():
    version = {"version-2": 2, "version-9": 9}.get(what, 3)
    ext = b"".join(string(n) + string(v) for n, v in names.items()
                   if n.split(b"@", maxsplit=1)[0] in have)
    send(2, u32(version) + ext)


def main():
    if what == "banner":
        out.write(b"Welcome to the machine\n")
        out.flush()
    while True:
        packet = next_packet()
        if packet is None:
            break
        if packet[0] == 1:
            greet()
            continue
        body = Body(packet[1:])
        rid = body.u32()
        try:
            verbs[packet[0]](rid, body)
        except OSError as e:
            failed(rid, e)
        if waiting:
            flush_reads("shuffle" not in opts or idle())
    if "asked" in opts:
        with open(opts["asked"], "w", encoding="ascii") as f:
            f.write("%d\n" % asked)


main()
