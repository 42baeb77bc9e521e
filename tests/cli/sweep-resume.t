# A sweep that was stopped, by Ctrl-C or by kill -9, goes on where it was.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

project() {
	: >"$RAN"
	rm -f "$RAN.go"
	put mlbuild.ini <<-'INI'
		[params]
		n = 1

		[dataset data]
		run = echo data >>"$RAN"; echo data > ${out}
		out = out/data.txt

		[model m]
		run =
		    if [ ${params:n} -gt 3 ]; then
		        echo begun >>"$RAN.begun"
		        while [ ! -s "$RAN.go" ]; do sleep 0.02; done
		    fi
		    echo m${params:n} >>"$RAN"
		    cat ${data} > ${out}; echo ${params:n} >> ${out}
		out = out/m.txt
	INI
}

# All that run before the first that waits are durable.
begun() {
	rm -f "$RAN.begun"
	"$MLBUILD" sweep -j1 -p n=1..6 m >"$T_ROOT/sweep" 2>&1 &
	pid=$!
	wait_for "$RAN.begun"
	tries=0
	until [ "$(grep -c '  done  ' "$T_ROOT/sweep")" = 3 ] || [ "$tries" = 1000 ]; do
		tries=$((tries + 1))
		sleep 0.02
	done
}

for how in INT KILL; do
	t "after SIG$how the same command does only what is missing"
	t_dir
	t_git
	project
	t_commit one
	begun
	kill -s "$how" "$pid"
	wait "$pid"
	stopped=$?
	[ "$how" = KILL ] || eq "$stopped" 130
	did 'data m1 m2 m3'
	eq "$(git for-each-ref refs/mlbuild/experiments | wc -l)" 3
	echo go >"$RAN.go"
	ok mlbuild sweep -p n=1..6 m
	did 'm4 m5 m6'
	eq "$(git for-each-ref refs/mlbuild/experiments | wc -l)" 6
	eq "$(git status --porcelain)" ''
	gone .mlbuild/roots
done

t an interrupted one says what is left
t_dir
project
begun
kill -s INT "$pid"
wait "$pid"
eq $? 130
ok grep -q '3 of 6 combinations, 3 left' "$T_ROOT/sweep"
ok grep -q 'the same command again' "$T_ROOT/sweep"

t another build waits for a sweep
t_dir
project
begun
"$MLBUILD" m >"$T_ROOT/other" 2>&1 &
other=$!
wait_for "$T_ROOT/other"
ok grep -q waiting "$T_ROOT/other"
echo go >"$RAN.go"
wait "$pid"
eq $? 0
wait "$other"
eq $? 0

done_testing
