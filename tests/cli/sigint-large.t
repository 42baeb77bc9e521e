# Ctrl-C is heard within a large file that is being hashed or stored: 130, and nothing wrong is kept.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

# Far more than can be read in the time that any test may take.
huge=1T

# Starts a build, and interrupts it once it has read some hundred MB of the file.
interrupt() {
	env --default-signal=INT "$MLBUILD" >"$T_ROOT/log" 2>&1 &
	pid=$!
	i=0
	until [ "$(sed -n 's/^rchar: //p' "/proc/$pid/io" 2>/dev/null || echo 0)" -gt 200000000 ] 2>/dev/null; do
		i=$((i + 1))
		if [ "$i" -gt 1500 ] || ! kill -0 "$pid" 2>/dev/null; then
			fail "it does not read: $(cat "$T_ROOT/log")"
			break
		fi
		sleep 0.02
	done
	kill -INT "$pid"
	(
		i=0
		while [ "$i" -lt 300 ] && kill -0 "$pid" 2>/dev/null; do
			i=$((i + 1))
			sleep 0.1
		done
		kill -9 "$pid" 2>/dev/null
	) &
	watch=$!
	wait "$pid"
	eq $? 130
	kill "$watch" 2>/dev/null
	wait "$watch" 2>/dev/null
	if grep -qi 'failed\|cannot' "$T_ROOT/log"; then
		fail "it says: $(cat "$T_ROOT/log")"
	else
		pass
	fi
	eq "$(find .mlbuild/cache -type f -size +1M)" ''
	eq "$(find .mlbuild/cache/v1/tmp -type f 2>/dev/null)" ''
}

# Then all is right with a file of another size.
and_then() {
	ok mlbuild
	eq "$(cat out.txt)" "$1"
	ok mlbuild fsck
	ok mlbuild
	hasnt running
}

if ! truncate -s "$huge" "$T_ROOT/try" 2>/dev/null || [ ! -r /proc/self/io ]; then
	echo "1..0 # skipped: no sparse file of $huge, or no /proc/self/io"
	# shellcheck disable=SC2034
	T_DONE=1
	exit 77
fi
rm "$T_ROOT/try"

for store in yes no; do
	t "a source, store = $store"
	t_dir
	put mlbuild.ini <<X
[dataset raw]
path = raw.bin
store = $store
[report size]
run = wc -c <\${raw} >\${out}
out = out.txt
X
	truncate -s "$huge" raw.bin
	interrupt
	echo raw >raw.bin
	and_then 4
	truncate -s "$huge" raw.bin
	interrupt
	eq "$(cat out.txt)" 4
	echo again >raw.bin
	and_then 6

	t "an output, store = $store"
	t_dir
	put mlbuild.ini <<X
[params]
size = $huge
[dataset big]
run = truncate -s \${params:size} \${out}
out = big.bin
store = $store
[report size]
run = wc -c <\${big} >\${out}
out = out.txt
X
	interrupt
	gone out.txt
	change mlbuild.ini "size = $huge" 'size = 300000'
	and_then 300000
	change mlbuild.ini 'size = 300000' "size = $huge"
	interrupt
	eq "$(wc -c <big.bin)" 300000
	eq "$(cat out.txt)" 300000
done

t a file of a directory
t_dir
put mlbuild.ini <<'X'
[dataset raw]
path = raw
[report size]
run = cat ${raw}/* | wc -c >${out}
out = out.txt
X
mkdir raw
echo small >raw/a
truncate -s "$huge" raw/b
interrupt
echo b >raw/b
and_then 8

t a directory that a command made
t_dir
put mlbuild.ini <<X
[params]
size = $huge
[dataset big]
run = echo a >\${out}/a; truncate -s \${params:size} \${out}/b
out = big/
[report size]
run = cat \${big}/* | wc -c >\${out}
out = out.txt
X
interrupt
gone out.txt big
change mlbuild.ini "size = $huge" 'size = 300000'
and_then 300002

done_testing
