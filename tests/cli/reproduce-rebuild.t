# reproduce --rebuild runs every stage of a commit again and compares; --twice does so twice.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

all_of() {
	find . -path ./.mlbuild/cache -prune -o -type f -print -exec cksum {} + | sort
	find . -path ./.mlbuild/cache -prune -o ! -type f -print | sort
	find . -path '*/v1/objects*' -o -path '*/packs/*' -o -path '*/actions/*' -o -path '*/roots/*' | sort
}

remember() {
	all_of >"$T_ROOT/before"
}

same_as_before() {
	all_of >"$T_ROOT/after"
	if cmp -s "$T_ROOT/before" "$T_ROOT/after"; then
		pass
	else
		fail "something was changed: $(diff "$T_ROOT/before" "$T_ROOT/after" | head -5)"
	fi
}

begin() {
	t_dir
	t_git
	: >"$RAN"
	seq 1 9 >in.txt
	cat >mlbuild.ini
}

built() {
	ok mlbuild
	t_commit built
	: >"$RAN"
	remember
}

# What differs from run to run is outside of the project, and in no key.
WORLD=$T_ROOT/world
export WORLD
echo 1 >"$WORLD"

t 'every stage runs again, once, and nothing is kept'
begin <<'INI'
[params]
k = 3
[dataset raw]
path = in.txt
[check sane]
guards = raw
run = echo sane >>"$RAN"; test -s ${raw}; echo fine > ${out}
in = ${raw}
out = sane.txt
[feature top]
run = echo top >>"$RAN"; head -n ${params:k} ${raw} > ${out}
out = data/top.txt
[feature same]
run = echo same >>"$RAN"; cp ${top} ${out}
out = data/same.txt
[feature tree]
run = echo tree >>"$RAN"; mkdir ${out}/d; cp ${same} ${out}/d/x; ln -s d/x ${out}/l
out = tree/
[model fold]
matrix.f = 0 1
run = echo fold >>"$RAN"; echo ${matrix:f} ${params:k} > ${out}
out = fold/${matrix:f}.txt
[model all]
run = echo all >>"$RAN"; cat ${fold@f=*} ${tree}/d/x > ${out}; echo '{"n": 3}' > ${metrics}
out = all.txt
metrics = all.json
[report once]
frozen = yes
run = echo once >>"$RAN"; echo 1 > ${out}
out = once.txt
[feature up]
each = parts/*
run = echo up >>"$RAN"; tr a-z A-Z < ${each} > ${out}
out = up/${each:name}
[task deploy]
run = false
INI
sed -i '/^in = \${raw}$/d' mlbuild.ini
mkdir parts
echo a >parts/a
echo b >parts/b
built
ok mlbuild reproduce HEAD --rebuild
did 'all fold fold once same sane top tree up up'
for target in raw sane top same tree fold@f=0 fold@f=1 all once up; do
	match "^identical +$target\$"
done
same_as_before
ok mlbuild reproduce HEAD --rebuild same
did 'same sane top'
ok mlbuild update once
ok git commit -qam updated
: >"$RAN"
ok mlbuild reproduce HEAD --rebuild once
out_has 'identical         once'
did once
remember
ok mlbuild reproduce HEAD --twice all
did 'all all fold fold fold fold same same sane sane top top tree tree'
err_has 'deterministic'
same_as_before

t 'two at once, and with builds'
mlbuild reproduce HEAD --rebuild >../one 2>&1 &
one=$!
mlbuild reproduce HEAD --rebuild -j 2 >../two 2>&1 &
two=$!
ok mlbuild reproduce HEAD
ok mlbuild
wait $one && wait $two || fail 'one of two did not work'
gone .mlbuild/reproduce

t 'a stage that is not deterministic is named, and what it misled'
begin <<'INI'
[dataset raw]
path = in.txt
[feature good]
run = cp ${raw} ${out}
out = good.txt
[feature noise]
run = printf 'aaaa'; cat ${raw} "$WORLD" > ${out}
out = noise.txt
[feature after]
run = cp ${noise} ${out}
out = after.txt
[feature files]
run = cp "$WORLD" ${out}/x; echo same > ${out}/y; cat "$WORLD" > ${out}/new$(cat "$WORLD")
out = files/
INI
built
echo 22 >"$WORLD"
code 1 mlbuild reproduce HEAD --rebuild
match '^identical +good$'
match '^different +noise$'
out_has 'not deterministic: the same inputs gave other bytes'
out_has 'noise.txt: differs from byte 18 on, 20 → 21 bytes'
match '^different +after$'
out_has 'made from other inputs: input noise.txt changed'
match '^different +files$'
out_has 'files: 3 files differ'
out_has 'x: differs from byte 0 on, 2 → 3 bytes'
out_has 'new1: only then'
out_has 'new22: only now'
err_has 'not reproduced'
same_as_before
code 1 mlbuild reproduce HEAD noise --rebuild --json
out_has '"result":"different"'
out_has '"first_difference":18'
out_has '"was_size":20,"size":21'
out_has '"different":1,'
ok mlbuild reproduce HEAD --twice
match '^identical +noise$'
same_as_before
mv .mlbuild "$T_ROOT/state"
code 1 mlbuild reproduce HEAD noise --rebuild
out_has 'noise.txt: other bytes (those of then are not in the cache), 20 → 21 bytes'
rm -r .mlbuild
mv "$T_ROOT/state" .mlbuild

t 'built twice'
begin <<'INI'
[feature steady]
run = echo 1 > ${out}
out = steady.txt
[feature counter]
run = echo x >>"$WORLD"; wc -l <"$WORLD" > ${out}
out = counter.txt
[feature user]
run = cp ${counter} ${out}
out = user.txt
INI
echo x >"$WORLD"
built
code 1 mlbuild reproduce --twice
match '^identical +steady$'
match '^different +counter$'
out_has 'not deterministic'
match '^different +user$'
out_has 'made from other inputs: input counter.txt changed'
same_as_before

t 'deterministic = no'
begin <<'INI'
[feature clock]
deterministic = no
run = echo clock >>"$RAN"; cat "$WORLD" > ${out}
out = clock.txt
[feature user]
run = echo user >>"$RAN"; cat ${clock} ${clock} > ${out}
out = user.txt
INI
echo 1 >"$WORLD"
built
echo 2 >"$WORLD"
ok mlbuild reproduce HEAD --rebuild
did 'clock user'
match '^as expected +clock$'
out_has 'it says of itself that it is not deterministic'
out_has 'clock.txt: differs from byte 0 on, 2 bytes'
match '^identical +user$'
same_as_before
ok mlbuild reproduce HEAD --rebuild user
did 'clock user'
ok mlbuild reproduce HEAD --twice
match '^identical +clock$'
match '^identical +user$'

t 'numbers, and how far they may be apart'
begin <<'INI'
[model m]
run = echo weights > ${out}; cat "$WORLD" > ${metrics}
out = m.bin
metrics = m.json
[report r]
run = cat "$WORLD" > ${out}
out = r.json
INI
echo '{"accuracy": 0.5, "loss": {"train": [10, 200]}, "name": "x"}' >"$WORLD"
built
echo '{"accuracy": 0.505, "loss": {"train": [10, 199]}, "name": "x"}' >"$WORLD"
code 1 mlbuild reproduce HEAD --rebuild m
out_has 'metrics.accuracy: 0.5 → 0.505 (+1%)'
out_has 'metrics.loss.train.1: 200 → 199 (-0.5%)'
code 1 mlbuild reproduce HEAD --rebuild m --tolerance metrics.accuracy=0.1
out_has 'metrics.accuracy: 0.5 → 0.505 (+1%), within tolerance'
ok mlbuild reproduce HEAD --rebuild m --tolerance metrics.accuracy=0.00501 --tolerance 'metrics.loss.*=0.5%'
match '^within tolerance +m$'
ok mlbuild reproduce HEAD --rebuild m --tolerance 'm:metrics.*=1'
code 1 mlbuild reproduce HEAD --rebuild --tolerance 'm:*=1'
match '^within tolerance +m$'
match '^different +r$'
ok mlbuild reproduce HEAD --rebuild --tolerance 'm:*=1' --tolerance 'out.*=1%' --json
out_has '{"name":"out.accuracy","was":0.5,"is":0.505,"relative":0.01'
out_has '"tolerated":true'
echo '{"accuracy": 0.5, "loss": {"train": [10, 200]}, "name": "y"}' >"$WORLD"
code 1 mlbuild reproduce HEAD --rebuild --tolerance '*=1'
out_has 'metrics.name: "x" → "y"'
same_as_before

t 'another interpreter'
begin <<'INI'
[feature a]
fingerprint = cat "$WORLD"
run = cat "$WORLD" > ${out}
out = a.txt
[feature b]
fingerprint = cat "$WORLD"
run = echo same > ${out}
out = b.txt
INI
echo 'Python 3.11.2' >"$WORLD"
built
echo 'Python 3.12.0' >"$WORLD"
ok mlbuild reproduce HEAD
out_has "built here it would have another key: fingerprint 'cat \"\$WORLD\"' changed"
code 1 mlbuild reproduce HEAD --rebuild
match '^different +a$'
out_has "made from other inputs: fingerprint 'cat \"\$WORLD\"' changed"
match '^identical +b$'
same_as_before
rm "$WORLD"
ok mlbuild reproduce HEAD
match '^identical +a$'
code 1 mlbuild reproduce HEAD --rebuild
match '^impossible +a$'
out_has 'fingerprint'
same_as_before

t 'a directory that is a link to elsewhere is not written to'
elsewhere=$T_ROOT/elsewhere
mkdir "$elsewhere"
begin <<'INI'
[dataset raw]
path = far/raw.csv
[feature a]
run = cat ${raw} > ${out}
out = far/a.txt
INI
ln -s "$elsewhere" far
echo 1 >far/raw.csv
mlbuild >/dev/null 2>&1
t_commit one
echo 'kept as it is' >far/a.txt
mv far/raw.csv ../raw.csv
before=$(find "$elsewhere" -exec cksum {} + 2>/dev/null; ls -l "$elsewhere")
mlbuild reproduce HEAD --rebuild >/dev/null 2>&1
mlbuild reproduce HEAD >/dev/null 2>&1
mlbuild reproduce HEAD --into ../far >/dev/null 2>&1
eq "$(find "$elsewhere" -exec cksum {} + 2>/dev/null; ls -l "$elsewhere")" "$before"
mv ../raw.csv far/raw.csv
ok mlbuild reproduce HEAD raw --into ../far2
eq "$(cat ../far2/far/raw.csv)" 1
there far/raw.csv

t 'no result to compare with'
begin <<'INI'
[feature a]
run = echo 1 > ${out}
out = a.txt
INI
t_commit one
code 1 mlbuild reproduce HEAD
out_has 'not built yet'
code 1 mlbuild reproduce HEAD --rebuild
out_has 'it was built, but there is no result to compare it with: not built yet'
ok mlbuild reproduce --twice

t 'what fails, and a check that says no now'
begin <<'INI'
[dataset raw]
path = in.txt
[check world]
guards = raw
run = test ! -s "$WORLD"
[feature a]
run = cp ${raw} ${out}
out = a.txt
[feature b]
run = test ! -s "$WORLD"; echo b > ${out}
out = b.txt
[feature c]
run = cp ${b} ${out}
out = c.txt
INI
: >"$WORLD"
built
echo no >"$WORLD"
code 1 mlbuild reproduce HEAD --rebuild
match '^different +world$'
out_has 'it says no now'
match '^impossible +a$'
match '^impossible +b$'
out_has 'it failed: exit code 1'
match '^impossible +c$'
same_as_before
gone .mlbuild/failed
err_hasnt '.mlbuild/'

t 'a variable that is not set costs its target alone'
begin <<'INI'
[feature a]
run = echo ${env:WORD} > ${out}
out = a.txt
[feature b]
run = echo b > ${out}
out = b.txt
INI
WORD=1
export WORD
built
ok mlbuild reproduce HEAD --rebuild
unset WORD
ok mlbuild reproduce HEAD
code 1 mlbuild reproduce HEAD --rebuild
match '^impossible +a$'
out_has WORD
match '^identical +b$'

t 'a variant that was committed: its parameters are trailers'
begin <<'INI'
[params]
k = 2
[feature a]
run = head -n ${params:k} in.txt > ${out}
out = a.txt
INI
built
ok mlbuild -p k=4
ok git commit -q --allow-empty -m 'a variant' -m 'Mlbuild-Param: k=4'
ok mlbuild reproduce HEAD --into ../k4
eq "$(wc -l <../k4/a.txt)" 4
ok mlbuild reproduce HEAD --rebuild a --into ../k4b
eq "$(wc -l <../k4b/a.txt)" 4
ok mlbuild reproduce HEAD~1 --rebuild a --into ../k2
eq "$(wc -l <../k2/a.txt)" 2

t 'many files of one target are one line, and the first that differ'
begin <<'INI'
[feature sizes]
each = in/*.txt
run = echo made $(cat ${each}) $(ls ~) > ${out}
out = out/${each:stem}.n
[feature same]
each = in/*.txt
run = cat ${each} > ${out}
out = same/${each:stem}.n
INI
mkdir in
for i in $(seq 10 39); do echo $i >in/$i.txt; done
ok mlbuild -q
t_commit files
touch ~/new
code 1 mlbuild reproduce HEAD --rebuild
rm ~/new
eq "$(grep -c '^ *built  sizes, 30 files, ' "$T_ERR")" 1
eq "$(grep -c '^ *built  same, 30 files, ' "$T_ERR")" 1
err_hasnt 'running  sizes'
err_hasnt 'in/10.txt'
out_has 'identical         same'
eq "$(grep -c 'out/[0-9]*.n: differs' "$T_OUT")" 20
out_has 'and 10 more outputs'
touch ~/new
code 1 mlbuild reproduce HEAD --rebuild -v
rm ~/new
err_has 'in/10.txt'
eq "$(grep -c 'out/[0-9]*.n: differs' "$T_OUT")" 30

t 'Ctrl-C leaves nothing behind'
begin <<'INI'
[feature a]
run = echo $$ > "$WORLD"; exec sleep 60
out = a.txt
INI
t_commit one
rm -f "$WORLD"
remember
"$MLBUILD" reproduce HEAD --rebuild >../out 2>&1 &
pid=$!
wait_for "$WORLD"
kill -INT $pid
wait $pid
eq $? 130
if kill -0 "$(cat "$WORLD")" 2>/dev/null; then fail 'the command is still there'; fi
gone .mlbuild/reproduce a.txt

t 'what a killed one left goes with the next'
rm -f "$WORLD"
"$MLBUILD" reproduce HEAD --rebuild >../out 2>&1 &
pid=$!
wait_for "$WORLD"
kill -KILL $pid
wait $pid 2>/dev/null
there .mlbuild/reproduce
code 1 mlbuild reproduce HEAD
gone .mlbuild/reproduce

done_testing
