# shellcheck shell=sh
# Which commands ran. The commands of the tests' projects append their names to
# the file $RAN, which is outside the project; `did` looks at it.
#
# did 'a b b c'   expects that since the last `did` exactly these ran (in any order)
# chain           makes a project in the current directory:
#                 in.txt -> a -> b -> c, and other.txt -> d; x is read by b alone
# wait_for FILE   waits (at most 20 s) until it is there and not empty
# newer FILE      makes its time newer, and nothing else

RAN=$T_ROOT/.ran
export RAN
: >"$RAN"

did() {
	did_=$(sort "$RAN" | tr '\n' ' ')
	: >"$RAN"
	if [ "${did_% }" = "$1" ]; then
		pass
	else
		fail "expected these commands to run: '$1', but these did: '${did_% }'"
	fi
}

chain() {
	: >"$RAN"
	put in.txt <<-'FILE'
		one
		two
	FILE
	put other.txt <<-'FILE'
		other
	FILE
	put mlbuild.ini <<-'INI'
		[params]
		x = 1

		[dataset a]
		run = echo a >>"$RAN"; grep -v '#' in.txt > ${out}
		out = out/a.txt

		[feature b]
		run = echo b >>"$RAN"; sed "s/$/-${params:x}/" ${a} > ${out}
		out = out/b.txt

		[model c]
		run = echo c >>"$RAN"; cat ${b} ${b} > ${out}
		out = out/c.txt

		[report d]
		run = echo d >>"$RAN"; cp other.txt ${out}
		out = out/d.txt
	INI
}

wait_for() {
	wait_=0
	until [ -s "$1" ]; do
		wait_=$((wait_ + 1))
		if [ "$wait_" -gt 1000 ]; then
			fail "$1 did not appear"
			return 1
		fi
		sleep 0.02
	done
}

newer() {
	sleep 0.02
	touch "$@"
}

# Replace text in a file: change FILE OLD NEW (no '|' in either; OLD is a basic regular expression).
change() {
	sed "s|$2|$3|" "$1" >"$T_ROOT/.change" && cat "$T_ROOT/.change" >"$1"
}

# match RE        expects a line of what the last command printed that matches (extended)
# keep            copies its standard output to $KEPT, for programs that look at it
KEPT=$T_ROOT/.kept

match() {
	if grep -qE -e "$1" "$T_ALL"; then
		pass
	else
		fail "expected a line that matches: $1"
	fi
}

keep() {
	cat "$T_OUT" >"$KEPT"
}
