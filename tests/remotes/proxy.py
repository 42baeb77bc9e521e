"""A proxy that disturbs what goes through it, for tests of remotes.

    python3 proxy.py HOST:PORT [--tcp] RULE...

Prints the port of 127.0.0.1 that it listens on, and passes everything on to HOST:PORT.
Requests of HTTP/1.1 are counted from 1, over all connections; with --tcp connections are.
A RULE is words: first when, then what. The first rule that fits a request is used.

    when   every=N        each Nth
           request=N[-M]  that one, or from N to M
           method=NAME    only requests of this method
           path=WORD      only those with WORD in their path
    what   cut-after=N    the connection ends after N bytes of the answer
           cut-request=N  it ends after N bytes of the request's body have gone on
           reset          it is reset (RST) before the request goes on
           lost           the request goes on, and its answer is not passed back
           stall-after=N  nothing comes after N bytes of the answer
           slow=N         the answer comes with N bytes a second
           status=N       that is answered, and the request does not go on;
                          retry-after=S adds that header
           flip           one bit in the middle of the answer's body is another
           flip-request   one bit in the middle of the request's body is another

With --tcp there are cut-after, reset, stall-after, slow and flip (of the byte at flip=N).
What it did is told on stderr.
"""

import re
import socket
import struct
import sys
import threading
import time

CHUNK = 65536
STALL = 600


class Gone(Exception):
    """One of the two sides has ended the connection, or is to be told so."""


class Rule:
    def __init__(self, text):
        self.text = text
        self.words = dict(w.partition("=")[::2] for w in text.split())

    def number(self, word):
        return int(self.words[word] or 0)

    def has(self, word):
        return word in self.words

    def fits(self, n, method, path):
        w = self.words
        if "every" in w and n % int(w["every"]):
            return False
        if "request" in w:
            first, _, last = w["request"].partition("-")
            if not int(first) <= n <= int(last or first):
                return False
        return w.get("method", method) == method and w.get("path", "") in path


class Counter:
    def __init__(self):
        self.n = 0
        self.lock = threading.Lock()

    def next(self):
        with self.lock:
            self.n += 1
            return self.n


def reset(sock):
    """Ends a connection by RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()
    raise Gone


def hang_up(sock):
    """Even where another thread waits for it, which would keep it open."""
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    sock.close()


def stall(sock):
    """Until the other side has had enough."""
    sock.settimeout(STALL)
    try:
        while sock.recv(CHUNK):
            pass
    except OSError:
        pass
    raise Gone


class Answer:
    """Bytes to the client, with what a rule does to them."""

    def __init__(self, sock, rule):
        self.sock = sock
        self.rule = rule
        self.sent = 0

    def limit(self):
        for word in ("cut-after", "stall-after"):
            if self.rule and self.rule.has(word):
                return self.rule.number(word)
        return None

    def send(self, data):
        limit = self.limit()
        if limit is not None and self.sent + len(data) > limit:
            self.sock.sendall(data[: limit - self.sent])
            if self.rule.has("stall-after"):
                stall(self.sock)
            raise Gone
        if self.rule and self.rule.has("slow"):
            rate = self.rule.number("slow")
            step = max(rate // 20, 1)
            for i in range(0, len(data), step):
                self.sock.sendall(data[i : i + step])
                time.sleep(step / rate)
        else:
            self.sock.sendall(data)
        self.sent += len(data)


def flipped(data, at):
    return data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :]


class Reader:
    """Reads heads and bodies of HTTP/1.1 (RFC 9112)."""

    def __init__(self, sock):
        self.sock = sock
        self.kept = b""

    def more(self):
        data = self.sock.recv(CHUNK)
        if not data:
            raise Gone
        self.kept += data

    def until(self, mark):
        while mark not in self.kept:
            self.more()
        end = self.kept.index(mark) + len(mark)
        out, self.kept = self.kept[:end], self.kept[end:]
        return out

    def head(self):
        text = self.until(b"\r\n\r\n")
        lines = text.decode("latin-1").split("\r\n")
        fields = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            fields[name.strip().lower()] = value.strip()
        return text, lines[0], fields

    def exactly(self, n):
        while n:
            if not self.kept:
                self.more()
            out, self.kept = self.kept[:n], self.kept[n:]
            n -= len(out)
            yield out

    def chunked(self):
        while True:
            line = self.until(b"\r\n")
            yield line
            size = int(line.split(b";")[0], 16)
            if size == 0:
                while line != b"\r\n":
                    line = self.until(b"\r\n")
                    yield line
                return
            yield from self.exactly(size + 2)

    def to_end(self):
        try:
            while True:
                if not self.kept:
                    self.more()
                out, self.kept = self.kept, b""
                yield out
        except Gone:
            return

    def body(self, fields, to_end=False):
        if "chunked" in fields.get("transfer-encoding", "").lower():
            return self.chunked()
        if "content-length" in fields:
            return self.exactly(int(fields["content-length"]))
        return self.to_end() if to_end else iter(())


def with_flip(body, size):
    at = 0
    middle = size // 2
    for piece in body:
        if at <= middle < at + len(piece):
            piece = flipped(piece, middle - at)
        at += len(piece)
        yield piece


def size_of(fields):
    return int(fields.get("content-length", "64"))


class Exchange:
    """One request and its answer."""

    def __init__(self, proxy, client, reader):
        self.proxy = proxy
        self.client = client
        self.reader = reader

    def run(self, server):
        head, line, fields = self.reader.head()
        method, path = line.split(" ")[:2]
        n = self.proxy.counter.next()
        rule = self.proxy.rule(n, method, path)
        if fields.get("expect", "").lower() == "100-continue":
            self.client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            head = re.sub(rb"(?i)\r\nexpect:[^\r]*", b"", head)
        body = self.reader.body(fields)
        if rule:
            print("proxy: %d %s %s: %s" % (n, method, path, rule.text), file=sys.stderr, flush=True)
            if rule.has("reset"):
                reset(self.client)
            if rule.has("status"):
                for _ in body:
                    pass
                return self.refuse(rule, method)
            if rule.has("flip-request"):
                body = with_flip(body, size_of(fields))
        server.sendall(head)
        self.forward(server, body, rule)
        return self.back(server, method, rule)

    def refuse(self, rule, method):
        text = b"" if method == "HEAD" else b"disturbed\n"
        head = "HTTP/1.1 %s Disturbed\r\nContent-Length: %d\r\n" % (rule.words["status"], len(text))
        if rule.has("retry-after"):
            head += "Retry-After: %s\r\n" % rule.words["retry-after"]
        self.client.sendall(head.encode() + b"\r\n" + text)
        return True

    def forward(self, server, body, rule):
        left = rule.number("cut-request") if rule and rule.has("cut-request") else None
        for piece in body:
            if left is not None and len(piece) > left:
                server.sendall(piece[:left])
                raise Gone
            left = None if left is None else left - len(piece)
            server.sendall(piece)
        if left is not None:
            raise Gone

    def back(self, server, method, rule):
        """True: the connections may be used again."""
        reader = Reader(server)
        head, line, fields = reader.head()
        while line.split(" ")[1] == "100":
            head, line, fields = reader.head()
        if rule and rule.has("lost"):
            raise Gone
        status = line.split(" ")[1]
        out = Answer(self.client, rule)
        out.send(head)
        if method == "HEAD" or status in ("204", "304"):
            body = iter(())
        else:
            body = reader.body(fields, to_end=True)
        if rule and rule.has("flip"):
            body = with_flip(body, size_of(fields))
        for piece in body:
            out.send(piece)
        known = "content-length" in fields or "transfer-encoding" in fields or status == "204"
        return known and fields.get("connection", "").lower() != "close"


class Proxy:
    def __init__(self, target, tcp, rules):
        self.target = target
        self.tcp = tcp
        self.rules = rules
        self.counter = Counter()

    def rule(self, n, method, path):
        for rule in self.rules:
            if rule.fits(n, method, path):
                return rule
        return None

    def serve(self, client):
        server = None
        try:
            server = socket.create_connection(self.target)
            for sock in (client, server):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.tcp:
                self.pipe(client, server)
                return
            reader = Reader(client)
            while Exchange(self, client, reader).run(server):
                pass
        except (Gone, OSError):
            pass
        finally:
            for sock in (client, server):
                if sock:
                    hang_up(sock)

    def pipe(self, client, server):
        n = self.counter.next()
        rule = self.rule(n, "", "")
        if rule:
            print("proxy: connection %d: %s" % (n, rule.text), file=sys.stderr, flush=True)
            if rule.has("reset"):
                reset(client)
        threading.Thread(target=self.forth, args=(client, server), daemon=True).start()
        out = Answer(client, rule)
        while True:
            data = server.recv(CHUNK)
            if not data:
                return
            at = rule.number("flip") - out.sent if rule and rule.has("flip") else -1
            out.send(flipped(data, at) if 0 <= at < len(data) else data)

    @staticmethod
    def forth(client, server):
        try:
            while True:
                data = client.recv(CHUNK)
                if not data:
                    break
                server.sendall(data)
            server.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def main(arguments):
    if not arguments or arguments[0].startswith("-"):
        sys.exit(__doc__)
    host, _, port = arguments[0].rpartition(":")
    rules = [Rule(a) for a in arguments[1:] if a != "--tcp"]
    proxy = Proxy((host, int(port)), "--tcp" in arguments, rules)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        print(listener.getsockname()[1], flush=True)
        while True:
            client, _ = listener.accept()
            threading.Thread(target=proxy.serve, args=(client,), daemon=True).start()


main(sys.argv[1:])
