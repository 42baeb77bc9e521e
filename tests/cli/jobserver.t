# GNU make's jobserver, served and accepted.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

command -v make >/dev/null || {
	# shellcheck disable=SC2034
	T_DONE=1
	exit 77
}

most() {
	awk '/[+]/ { n++; if (n > most) most = n } /-/ { n-- } END { print most + 0 }' "$RAN"
	: >"$RAN"
}

targets() {
	for i in 1 2 3 4 5 6; do
		printf '[dataset d%s]\nrun = echo + >>"$RAN"; sleep 0.1; echo - >>"$RAN"; echo %s > ${out}\nout = %s.txt\n' $i $i $i
	done
}

t "accepted: under make -j2, mlbuild -j6 has the slots of make"
t_dir
targets >mlbuild.ini
printf 'all:\n\t+"$(MLBUILD)" -j6\n' >Makefile
ok make -j2
n=$(most)
[ "$n" -le 2 ] && pass || fail "$n at once"
there 6.txt

t accepted: the FIFO form
t_dir
targets >mlbuild.ini
mkfifo fifo
exec 9<>fifo
printf '++' >&9
MAKEFLAGS=" -j3 --jobserver-auth=fifo:$PWD/fifo"
export MAKEFLAGS
ok mlbuild -j6
n=$(most)
[ "$n" -le 3 ] && [ "$n" -ge 2 ] && pass || fail "$n at once"

t and every token is given back
eq "$(timeout 1 head -c 2 <&9)" '++'
exec 9>&-
unset MAKEFLAGS

# Each of three waits for the other two: it ends only if they run at once.
mkdir "$T_ROOT/met"
MET=$T_ROOT/met
export MET
meeting='all: one two three
one two three:
	@: >"$$MET/$@"; until test -e "$$MET/one" -a -e "$$MET/two" -a -e "$$MET/three"; do sleep 0.02; done; echo made $@
'

t served: what runs make shares our slots
t_dir
put mlbuild.ini <<'X'
[dataset a]
run = echo "$MAKEFLAGS" > ${out}
out = a.txt
X
ok mlbuild -j3
# make before 4.4 dies of the FIFO form: where the machine's make is older it is a pipe.
if printf '4.4\n%s\n' "$(make --version | sed -n '1s/.* //p')" | sort -CV; then
	ok grep -q 'jobserver-auth=fifo:' a.txt
else
	ok grep -q 'jobserver-auth=[0-9]*,[0-9]*$' a.txt
fi
put mlbuild.ini <<'X'
[dataset a]
run = make -s -f Sub | sort > ${out}
out = a.txt
X
printf '%s' "$meeting" >Sub
ok timeout 60 "$MLBUILD" -j3
eq "$(tr '\n' ' ' <a.txt)" 'made one made three made two '

t "and make's own make has them too"
rm -f "$MET"/*
put mlbuild.ini <<'X'
[dataset a]
run = sh -c 'make -s -f Top' | sort > ${out}
out = a.txt
X
printf 'all:\n\t@$(MAKE) -s -f Sub\n' >Top
ok timeout 60 "$MLBUILD" -j3
eq "$(tr '\n' ' ' <a.txt)" 'made one made three made two '

t "under a make that serves, a make that we run has that one's slots"
rm -f "$MET"/*
put mlbuild.ini <<'X'
[dataset a]
run = make -s -f Sub | sort > ${out}
out = a.txt
X
printf 'all:\n\t+@"$(MLBUILD)" -f a\n' >Outer
ok timeout 60 make -s -f Outer -j3
eq "$(tr '\n' ' ' <a.txt)" 'made one made three made two '

t an explicit number is its own affair
rm -f "$MET"/*
change mlbuild.ini 'make -s -f Sub' 'make -s -j3 -f Sub'
ok timeout 60 "$MLBUILD" -j2
eq "$(tr '\n' ' ' <a.txt)" 'made one made three made two '

t a MAKEFLAGS without a jobserver is harmless
MAKEFLAGS=-k
export MAKEFLAGS
ok mlbuild -f a
MAKEFLAGS=' --jobserver-auth=77,78'
ok mlbuild -f a

done_testing
