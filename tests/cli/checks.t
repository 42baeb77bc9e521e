# A check that says no blocks its consumers with exit 3, and lets the rest build.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

project() {
	t_dir
	: >"$RAN"
	echo "$1" >raw.txt
	put mlbuild.ini <<'X'
[dataset raw]
path = raw.txt
[check contract]
guards = raw
run = echo contract >>"$RAN"; grep -q good ${raw}
[dataset clean]
run = echo clean >>"$RAN"; cat ${raw} > ${out}
out = clean.txt
[model m]
run = echo m >>"$RAN"; cat ${clean} > ${out}
out = m.txt
[report other]
run = echo other >>"$RAN"; echo 1 > ${out}
out = other.txt
X
}

t yes: everything builds, and the check runs once
project good
ok mlbuild
did 'clean contract m other'
ok mlbuild
did ''
ok mlbuild show contract
match '^  says +yes$'

t no: consumers are blocked, the rest builds, exit 3
project bad
code 3 mlbuild
did 'contract other'
err_has contract
err_has 'grep -q good raw.txt'
err_has '.mlbuild/logs/contract.log'
there .mlbuild/logs/contract.log
err_has 'incomplete: 1 check says no (contract), 2 blocked'
gone clean.txt m.txt
there other.txt

t show tells what a check said
ok mlbuild show contract
match '^  says +no$'
match '^  checked '
ok mlbuild show --json contract
out_has '"verdict":"no"'
ok mlbuild show --json other
out_hasnt verdict

t the verdict is remembered, and still exit 3
code 3 mlbuild
did ''
err_has contract

t consumers that are up to date stay
echo good >raw.txt
ok mlbuild
did 'clean contract m'
echo good bad >raw.txt
change mlbuild.ini 'grep -q good' 'grep -qx good'
code 3 mlbuild
did 'contract'
eq "$(cat m.txt)" good

t a target named alone still has its guards
project bad
code 3 mlbuild m
did 'contract'
ok mlbuild other
did 'other'

t the check itself, by name
code 3 mlbuild contract
did ''

t the check runs again when its input changes, back and forth
project good
ok mlbuild
did 'clean contract m other'
echo bad >raw.txt
code 3 mlbuild
did 'contract'
echo good >raw.txt
ok mlbuild
did ''

t a check makes nothing stale
change mlbuild.ini 'grep -q good' 'grep -qi good'
ok mlbuild
did 'contract'

t exit codes 1 to 125 say no, others and signals are failures
for c in 1 2 125; do
	project good
	change mlbuild.ini 'grep -q good ${raw}' "cat \${raw}; exit $c"
	code 3 mlbuild
	gone m.txt
done
for c in 126 127; do
	project good
	change mlbuild.ini 'grep -q good ${raw}' "cat \${raw}; exit $c"
	code 1 mlbuild
	gone m.txt
	: >"$RAN"
	code 1 mlbuild m
	did 'contract'
done
project good
change mlbuild.ini 'grep -q good ${raw}' 'cat ${raw}; kill -9 $$'
code 1 mlbuild m
did 'contract'
code 1 mlbuild m
did 'contract'

t a check in needs gates that consumer alone
t_dir
: >"$RAN"
put mlbuild.ini <<'X'
[dataset a]
run = echo a >>"$RAN"; echo 1 > ${out}
out = a.txt
[check strict]
run = echo strict >>"$RAN"; grep -q 2 ${a}
[model gated]
run = echo gated >>"$RAN"; cat ${a} > ${out}
out = gated.txt
needs = strict
[model free]
run = echo free >>"$RAN"; cat ${a} > ${out}
out = free.txt
X
code 3 mlbuild
did 'a free strict'
there free.txt
gone gated.txt

t reports of a no stay in place
t_dir
: >"$RAN"
put mlbuild.ini <<'X'
[dataset a]
run = echo 1 > ${out}
out = a.txt
[check c]
guards = a
run = echo c >>"$RAN"; echo report of ${a} > ${out}; exit 1
out = report.txt
[model m]
run = cat ${a} > ${out}
out = m.txt
X
code 3 mlbuild
eq "$(cat report.txt)" 'report of a.txt'
did 'c'
rm report.txt
code 3 mlbuild
did ''

t with -k too
code 3 mlbuild -k
did ''

t several guards: all have to say yes
t_dir
: >"$RAN"
put mlbuild.ini <<'X'
[dataset a]
run = echo 1 > ${out}
out = a.txt
[check c1]
guards = a
run = test -s ${a}
[check c2]
guards = a
run = test ! -s ${a}
[model m]
run = cat ${a} > ${out}
out = m.txt
X
code 3 mlbuild
err_has c2
gone m.txt

t --only hears what guards the inputs, without making them
t_dir
: >"$RAN"
put mlbuild.ini <<'X'
[dataset a]
run = echo a >>"$RAN"; cat in.txt > ${out}
out = a.txt
[check c]
guards = a
run = echo c >>"$RAN"; grep -q good ${a}
[model m]
run = echo m >>"$RAN"; cat ${a} > ${out}
out = m.txt
[check gate]
guards = m
run = echo gate >>"$RAN"; false
X
echo good >in.txt
code 3 mlbuild m
did 'a c gate m'
echo bad >in.txt
code 3 mlbuild a
did 'a c'
code 3 mlbuild --only m
err_has "'c'"
did ''
eq "$(cat m.txt)" good
echo edited >in.txt
echo 'good enough' >a.txt
ok mlbuild --only m
did 'c m'
eq "$(cat m.txt)" 'good enough'

guarded() {
	t_dir
	: >"$RAN"
	echo "$1" >in.txt
	put mlbuild.ini <<'X'
[dataset a]
run = echo a >>"$RAN"; cat in.txt > ${out}
out = a.txt
[check c]
guards = a
run = echo c >>"$RAN"; grep -q good ${a}
[model m]
run = echo m >>"$RAN"; cat ${a} > ${out}
out = m.txt
[report r]
run = echo r >>"$RAN"; cat ${m} > ${out}
out = r.txt
X
}

# foretold TARGET WORDS: -n, status and why say that it is blocked, and why
foretold() {
	ok mlbuild -n
	match "blocked +$1 .*$2"
	ok mlbuild status
	match "blocked +$1 .*$2"
	ok mlbuild why "$1"
	match "$1 is blocked: $2"
}

t what a remembered no blocks is foretold
guarded bad
code 3 mlbuild
did 'a c'
foretold m "the check 'c' said no"
foretold r "'m' cannot be had"
did ''

t a verdict that is not known yet is waited for
change mlbuild.ini 'grep -q good' 'grep -q bad'
ok mlbuild -n
hasnt 'blocked'
match "will run +m .*waits for what the check 'c' says"
ok mlbuild status
match "stale +m .*waits for what the check 'c' says"
ok mlbuild why m
has "waits for what the check 'c' says"
ok mlbuild
did 'c m r'

t what could be restored is blocked as well
change mlbuild.ini 'grep -q bad' 'grep -q good'
rm m.txt r.txt
code 3 mlbuild
did ''
foretold m "the check 'c' said no"
gone m.txt

t what is up to date is not blocked
change mlbuild.ini 'grep -q good' 'grep -q bad'
ok mlbuild
did ''
change mlbuild.ini 'grep -q bad' 'grep -q good'
code 3 mlbuild
ok mlbuild -n
hasnt 'blocked'
ok mlbuild why m
has 'up to date'

done_testing
