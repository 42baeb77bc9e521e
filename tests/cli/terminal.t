# The live display, seen through a pseudo-terminal.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

command -v script >/dev/null || {
	echo "# skipped: there is no script(1)"
	# shellcheck disable=SC2034
	T_DONE=1
	exit 77
}
esc=$(printf '\033')
bell=$(printf '\007')

# term COLUMNS ARGUMENTS: what a terminal so wide receives from mlbuild is in $SEEN.
SEEN=$T_ROOT/seen
export SEEN
term() {
	columns=$1
	shift
	# shellcheck disable=SC2034
	T_CMD="mlbuild $*" T_SAID=0
	script -qec "stty cols $columns rows 20; \"\$MLBUILD\" $*" /dev/null </dev/null >"$SEEN"
	T_CODE=$?
	tr -d '\r' <"$SEEN" >"$T_OUT"
	: >"$T_ERR"
	cp "$T_OUT" "$T_ALL"
}

# Lines of the display without escape sequences, other characters than ASCII as x.
lines() {
	tr '\r' '\n' <"$SEEN" | sed -e "s/$esc\[[0-9;]*[A-Za-z]//g" -e 's/[^ -~]/x/g'
}

TERM=xterm
export TERM
t_dir
put mlbuild.ini <<'X'
[params]
v = 1

[dataset quick]
run = echo 1 > ${out}
out = quick.txt

[model slow]
run = printf 'epoch 1\033]0;title\007 \033[31mred\033[0m\tloss 0.5 and a line that is much too long for a narrow terminal\n'; sleep 1; cat ${quick} > ${out}; echo ${params:v} >> ${out}; echo '{"accuracy": 0.875}' > ${metrics}
out = slow.txt
metrics = slow.json

[task bad]
run = echo 'the last words'; exit 7
X

t a progress bar is seen while it is drawn, in its last state
put bar/bar.sh <<'X'
# Wait until the terminal has this text; without one it never will.
shown() {
	n=0
	until grep -qF "$1" "$SEEN"; do
		n=$((n + 1))
		[ "$n" -lt 1000 ] || exit 9
		sleep 0.02
	done
}
printf '\r 10%%|#   \r 50%%|###'
shown ' 50%|###'
printf '\r 99%%|#####\r'
shown ' 99%|#####'
printf '\rready\n'
exit 3
X
put bar/mlbuild.ini <<'X'
[task bar]
run = sh bar.sh
X
term 80 -C bar bar
has 'exit code 3'

t a build
term 80 slow
eq "$T_CODE" 0
has building
has running
has slow
has 'epoch 1 red loss 0.5'
has 'accuracy 0.875'
has 'done'
ok grep -q "$esc\[[0-9]*A" "$SEEN"
eq "$(lines | awk 'length > 79')" ''

t no more than ten drawings a second
n=$(grep -o "$esc\[J" "$SEEN" | wc -l)
if [ "$n" -ge 3 ] && [ "$n" -le 60 ]; then pass; else fail "$n drawings"; fi

t what a terminal would obey is not sent on
hasnt "$bell"
hasnt "$esc]"
hasnt title

t nothing to do: one line, no display
term 80 slow
eq "$T_CODE" 0
eq "$(wc -l <"$SEEN")" 1
has 'slow is up to date'
hasnt "$esc"

t finished and total, what runs and for how long, against the time that it took before
change mlbuild.ini 'sleep 1;' 'sleep 2;'
term 80 slow
eq "$T_CODE" 0
term 80 -f slow
if lines | grep -q '1/2'; then pass; else fail 'no count'; fi
if lines | grep -qE 'slow +[0-9.]+s of ~[2-9]'; then pass; else fail 'no time of what runs'; fi
if lines | grep -qE 'building.* ~[1-9]s left'; then pass; else fail 'no time left'; fi
change mlbuild.ini 'sleep 2;' 'sleep 1;'
rm quick.txt slow.txt
term 80 slow
if lines | grep -qE 'restored +slow'; then pass; else fail 'nothing is restored'; fi

t a narrow terminal
term 34 -f slow
eq "$(lines | grep -E '^(slow|[0-9]+/)' | awk 'length > 33')" ''
if lines | grep -q '^slow'; then pass; else fail 'no line for what runs'; fi

t the log of one takes two lines for each run
for columns in 80 120; do
	term $columns log
	eq "$(lines | awk -v n=$columns 'length($0) > n')" ''
	out_has mlbuild
done
term 80 log
eq "$(lines | grep -c '^2[0-9]*-.* ok *$')" "$(lines | grep -c '^  [0-9]* built, [0-9]* restored')"

t NO_COLOR
NO_COLOR=1
export NO_COLOR
term 80 -f slow
has 'building'
ok grep -q "$esc\[K" "$SEEN"
hasnt "${esc}[3"
hasnt "${esc}[2m"
unset NO_COLOR
term 80 --color never -f slow
hasnt "${esc}[3"
has "${esc}[K"

t TERM=dumb
TERM=dumb
term 80 -f slow
hasnt "$esc"
has 'running'
has 'slow | epoch 1'
TERM=xterm

t verbose: everything that is printed stays
term 80 -v -f slow
has 'slow |'

t quiet
term 80 -q -f slow
hasnt building

t a failure
term 80 bad
eq "$T_CODE" 1
has 'the last words'
has 'exit code 7'
has .mlbuild/
has stopped

t suspended and back: it starts on a line of its own, and goes up over nothing of the shell
# What stops it and lets it go on is no job of the shell, which would announce its end in between.
cat >>mlbuild.ini <<'X'

[model held]
run = until [ -e "$SEEN.go" ]; do sleep 0.05; done; echo held > ${out}
out = held.txt
X
cat >suspend.sh <<'X'
stty cols 80 rows 20
(
	(
		until grep -q running "$SEEN"; do sleep 0.05; done
		kill -TSTP "$(cat pid)"
		until sed '1,/SHELL/d' "$SEEN" | grep -q running; do sleep 0.05; done
		echo >"$SEEN.go"
	) &
)
set -m
sh -c 'echo $$ >pid; exec "$MLBUILD" held'
echo SHELL
fg >/dev/null
X
script -qec "timeout --foreground 120 sh suspend.sh" /dev/null </dev/null >"$SEEN"
if grep -q SHELL "$SEEN"; then pass; else fail 'it was not suspended'; fi
after=$(sed -n '/SHELL/,$p' "$SEEN" | tr -d '\r' | sed -n 2p)
case $after in
"$(printf '%80s' '')"*running*) pass ;;
*) fail "after it came back: $after" ;;
esac
if tr -d '\r' <"$SEEN" | grep -q 'done.*1 built'; then pass; else fail 'it did not end well'; fi

t clean asks, and no is the default
term 80 slow
chmod u+w slow.txt
echo mine >slow.txt
echo n | script -qec "$MLBUILD clean slow" /dev/null >"$SEEN"
there slow.txt
ok grep -q 'cannot give back' "$SEEN"
echo y | script -qec "$MLBUILD clean slow" /dev/null >"$SEEN"
gone slow.txt

t Ctrl-C on the terminal does not end the background job of a script
t_dir
mkfifo go stop
put mlbuild.ini <<'X'
[dataset a]
run = echo x >"$SEEN.started"; cat go >${out}
out = a.txt
X
put job.sh <<'X'
trap 'echo >interrupted' INT
"$MLBUILD" >job.log 2>&1 &
until [ -e interrupted ]; do sleep 0.05; done
timeout 20 sh -c "echo end >go"
wait $!
echo $? >job.code
X
{
	wait_for "$SEEN.started"
	printf '\003'
	timeout 60 cat stop # the terminal stays until the job is done
} | script -qec 'timeout --foreground 60 sh job.sh; echo >stop' /dev/null >"$SEEN" 2>&1
eq "$(cat job.code)" 0
eq "$(cat a.txt)" end

done_testing
