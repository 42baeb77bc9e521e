# A fresh clone: what the lock has is told apart from what was never built.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

# clone: the project of $ORIGIN, as a colleague gets it, becomes the current directory
clone() {
	t_dir
	git clone -q "$ORIGIN" . || exit 1
}

project() {
	t_dir
	ORIGIN=$T_DIR
	t_git
	put in.txt <<'X'
one
X
	put mlbuild.ini <<'X'
[feature a]
run = echo a >>"$RAN"; cat in.txt > ${out}
out = a.txt
[model b]
run = echo b >>"$RAN"; cat ${a} > ${out}
out = b.txt
[feature fit]
matrix.k = 1 2
run = echo fit >>"$RAN"; echo ${matrix:k} > ${out}
out = fit/${matrix:k}.txt
X
	ok mlbuild
	t_commit
	did 'a b fit fit'
}

nowhere='mlbuild.lock has it, but its bytes are neither here nor in the cache'

t its bytes are nowhere
project
clone
ok mlbuild status
match "stale +a +$nowhere"
match "stale +b +$nowhere"
match "stale +fit@k=1 +$nowhere"
hasnt 'not built yet'
ok mlbuild why a
has "a will run: $nowhere"
ok mlbuild why b
has "b will run: $nowhere"
ok mlbuild -n
hasnt 'not built yet'

t what was never built is told so
cat >>mlbuild.ini <<'X'
[model c]
run = cat ${b} > ${out}
out = c.txt
[model d]
run = cat in.txt > ${out}
out = d.txt
X
ok mlbuild status
match 'stale +c +not built yet'
match 'stale +d +not built yet'
match "stale +a +$nowhere"

t from other inputs
clone
echo two >in.txt
ok mlbuild status
match 'stale +a +mlbuild.lock has it from other inputs, which are not known here'
match "stale +b +$nowhere"
ok mlbuild
did 'a b fit fit'
eq "$(cat b.txt)" two

t a shared cache has it
project
put "$HOME/.config/mlbuild/config.ini" <<X
[cache]
dir = $T_ROOT/shared
X
ok mlbuild -f a b fit
did 'a b fit fit'
clone
ok mlbuild status
hasnt stale
match 'in the cache +a'
ok mlbuild
did ''
there a.txt b.txt fit/1.txt
rm "$HOME/.config/mlbuild/config.ini"

t what was made again as the lock says is kept, tables too
project
clone
ok mlbuild
did 'a fit fit'
ok git diff --exit-code
rm -r fit
ok mlbuild checkout
there fit/1.txt fit/2.txt
ok mlbuild fsck

done_testing
