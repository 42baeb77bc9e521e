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

t served: what runs make -j shares our slots
t_dir
put mlbuild.ini <<'X'
[dataset a]
run = echo "$MAKEFLAGS" > ${out}
out = a.txt
X
ok mlbuild -j3
# make before 4.4 dies of the FIFO form: it is not offered where the machine's make is older.
if printf '4.4\n%s\n' "$(make --version | sed -n '1s/.* //p')" | sort -CV; then
	ok grep -q 'jobserver-auth=fifo:' a.txt
else
	ok sh -c '! grep -q jobserver-auth a.txt'
fi
put mlbuild.ini <<'X'
[dataset a]
run = make -s -j2 -f Sub | sort > ${out}
out = a.txt
X
printf 'all: one two\none two:\n\t@echo made $@\n' >Sub
ok mlbuild -j3
eq "$(tr '\n' ' ' <a.txt)" 'made one made two '

t a MAKEFLAGS without a jobserver is harmless
MAKEFLAGS=-k
export MAKEFLAGS
ok mlbuild -f a
MAKEFLAGS=' --jobserver-auth=77,78'
ok mlbuild -f a

done_testing
