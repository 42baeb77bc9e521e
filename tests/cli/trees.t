# Directories of every sort go into the store and come out again as they were.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

command -v python3 >/dev/null || {
	echo "# skipped: there is no python3"
	# shellcheck disable=SC2034
	T_DONE=1
	exit 77
}

# What is below a directory, however deep it is: types, bits, names, contents; one digest.
look() {
	python3 - "$1" <<'PY'
import hashlib, os, stat, sys
h = hashlib.sha256()
def visit(fd, depth):
    for name in sorted(os.listdir(fd)):
        raw = os.fsencode(name)
        st = os.stat(name, dir_fd=fd, follow_symlinks=False)
        h.update(b"%d %s " % (depth, raw))
        if stat.S_ISDIR(st.st_mode):
            h.update(b"d\n")
            stack.append((os.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=fd), depth + 1))
        elif stat.S_ISLNK(st.st_mode):
            h.update(b"l %s\n" % os.fsencode(os.readlink(name, dir_fd=fd)))
        else:
            f = os.open(name, os.O_RDONLY, dir_fd=fd)
            h.update(b"%d %s\n" % (st.st_mode & 0o100, hashlib.sha256(os.read(f, 1 << 20)).digest()))
            os.close(f)
stack = [(os.open(sys.argv[1], os.O_RDONLY | os.O_DIRECTORY), 0)]
while stack:
    fd, depth = stack.pop()
    visit(fd, depth)
    os.close(fd)
print(h.hexdigest())
PY
}

# Removed without recursion: rm has none either, but a test's own clean-up may not cope.
remove() {
	python3 - "$1" <<'PY'
import os, sys
top = sys.argv[1]
def go(parent, name):
    stack = [(parent, name, None)]
    while stack:
        parent, name, fd = stack.pop()
        if fd is None:
            fd = os.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=parent)
            stack.append((parent, name, fd))
            for n in os.listdir(fd):
                if os.path.isdir("/proc/self/fd/%d/%s" % (fd, n)) and not os.path.islink("/proc/self/fd/%d/%s" % (fd, n)):
                    stack.append((fd, n, None))
                else:
                    os.unlink(n, dir_fd=fd)
        else:
            os.close(fd)
            os.rmdir(name, dir_fd=parent)
go(os.open(".", os.O_RDONLY | os.O_DIRECTORY), top)
PY
}

project() {
	t_dir
	cp "$T_ROOT/make.py" .
	put mlbuild.ini <<-INI
		[dataset raw]
		path = raw
		[feature made]
		run = python3 make.py $1 \${out}
		out = made/
		needs = make.py
	INI
	python3 make.py "$1" raw
}

# Source and output of one sort, stored, removed and checked out.
cycle() {
	project "$1"
	want=$(look raw)
	ok mlbuild
	eq "$(look made)" "$want"
	ok mlbuild status --exit-code
	remove raw
	remove made
	ok mlbuild checkout
	eq "$(look raw)" "$want"
	eq "$(look made)" "$want"
	ok mlbuild status --exit-code
	ok mlbuild
	err_has 'up to date'
	ok mlbuild fsck
}

cat >"$T_ROOT/make.py" <<'PY'
import os, sys
sort, top = sys.argv[1], sys.argv[2]
os.makedirs(top, exist_ok=True)
def file(path, text=b"x", mode=0o644):
    fd = os.open(path, os.O_WRONLY | os.O_CREAT, mode)
    os.write(fd, text)
    os.close(fd)
if sort == "small":
    os.makedirs(top + "/empty/inner")
    os.makedirs(top + "/a/b")
    file(top + "/plain", b"plain")
    file(top + "/nothing", b"")
    file(top + "/program", b"#!/bin/sh\n", 0o755)
    file(top + "/a/b/c", b"c")
    os.symlink("a/b/c", top + "/link")
    os.symlink("../plain", top + "/a/up")
    os.symlink("nowhere", top + "/dangling")
    os.symlink("b", top + "/a/dir")
elif sort == "names":
    base = os.fsencode(top)
    for byte in range(1, 256):
        if byte != 47:
            file(base + b"/n" + bytes([byte]) + b"e", bytes([byte]))
    for name in [b" ", b"-", b"--help", b"a\nb", b"~", b"\xff\xfe", b"*", b"\\", b"...", b"a ", b"#x", b"con"]:
        file(base + b"/" + name, name)
    os.mkdir(base + b"/\x01\x7f")
    file(base + b"/\x01\x7f/\xe2\x82")
    file(base + b"/" + b"l" * 255, b"long")
    os.mkdir(base + b"/" + b"d" * 255)
    file(base + b"/" + b"d" * 255 + b"/" + b"e" * 255, b"long below long")
elif sort == "deep":
    fd = os.open(top, os.O_RDONLY | os.O_DIRECTORY)
    for i in range(1200):
        os.mkdir("level%04d" % i, dir_fd=fd)
        if i % 500 == 0:
            f = os.open("f", os.O_WRONLY | os.O_CREAT, 0o644, dir_fd=fd)
            os.write(f, b"%d" % i)
            os.close(f)
        next = os.open("level%04d" % i, os.O_RDONLY | os.O_DIRECTORY, dir_fd=fd)
        os.close(fd)
        fd = next
    f = os.open("bottom", os.O_WRONLY | os.O_CREAT, 0o755, dir_fd=fd)
    os.write(f, b"here")
    os.symlink("bottom", "link", dir_fd=fd)
elif sort == "wide":
    for i in range(3000):
        file(top + "/%d.txt" % i, b"%d" % (i % 7))
PY

t empty directories, executable bits, links
cycle small
there raw/empty/inner made/empty/inner
eq "$(stat -c %A raw/program made/program raw/plain | cut -c 4 | tr -d '\n')" 'xx-'

t names of any bytes, and long ones
cycle names

t deep nesting
cycle deep
remove raw
remove made

t a flat directory that is split
cycle wide
nodes=$(mlbuild ls --json made | wc -l)
eq "$nodes" 3000
echo changed >raw/17.txt
rm raw/18.txt
echo more >raw/more.txt
ok mlbuild
ok mlbuild checkout raw
eq "$(cat raw/17.txt)" changed

t a link that leaves, a socket, a pipe: named
for bad in up absolute pipe socket git; do
	t_dir
	mkdir -p raw/sub
	echo x >raw/sub/x
	case $bad in
	up) ln -s ../../outside raw/sub/bad ;;
	absolute) ln -s /etc/passwd raw/sub/bad ;;
	pipe) mkfifo raw/sub/bad ;;
	socket) python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("raw/sub/bad")' ;;
	git) mkdir raw/sub/.GIT ;;
	esac
	printf '[dataset raw]\npath = raw\n[model m]\nrun = cp -r ${raw}/sub/x ${out}\nout = m\n' >mlbuild.ini
	code 1 mlbuild
	if [ $bad = git ]; then err_has 'raw/sub/.GIT'; else err_has 'raw/sub/bad'; fi
	gone m
	printf '[model m]\nrun = mkdir ${out}/sub && touch ${out}/sub/x && case %s in up) ln -s ../../o ${out}/sub/bad;; absolute) ln -s /o ${out}/sub/bad;; pipe) mkfifo ${out}/sub/bad;; socket) python3 -c "import os, socket; os.chdir(\\"m/sub\\"); socket.socket(socket.AF_UNIX).bind(\\"bad\\")";; git) mkdir ${out}/sub/.GIT;; esac\nout = m/\n' $bad >mlbuild.ini
	code 1 mlbuild
	if [ $bad = git ]; then err_has 'sub/.GIT'; else err_has 'sub/bad'; fi
	gone m
done

t what goes on changing while it is read is said
t_dir
mkdir raw
python3 -c '
import os, sys, time
with open("raw/log", "wb") as f:
    f.truncate(64 << 20)
'
printf '[dataset raw]\npath = raw\n[model m]\nrun = cp ${raw}/log ${out}\nout = m\n' >mlbuild.ini
python3 -c '
import os, time
fd = os.open("raw/log", os.O_WRONLY | os.O_APPEND)
open("started", "w").write("yes")
end = time.monotonic() + 120
while time.monotonic() < end and not os.path.exists("stop"):
    os.write(fd, b"x")
' &
writer=$!
wait_for started
code 1 mlbuild
err_has 'raw/log'
err_has 'while it is read'
: >stop
wait $writer
rm stop started
ok mlbuild

done_testing
