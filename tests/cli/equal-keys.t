# Actions of equal key run once: no name, kind, place or state of ours is in a key.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

t a variant with the value that the project has
t_dir
chain
ok mlbuild
did 'a b c d'
ok mlbuild -p x=1 c
did ''

t two of one variant, one after the other and at the same time
ok mlbuild -p x=7 c
did 'b c'
"$MLBUILD" -p x=8 c >one.log 2>&1 &
one=$!
"$MLBUILD" -p x=8 c >two.log 2>&1
eq $? 0
wait "$one"
eq $? 0
did 'b c'

t a target of another name and kind
change mlbuild.ini '\[report d\]' '[dataset other]'
ok mlbuild
did ''

t a project in another place that shares the cache
printf '[cache]\ndir = %s\n' "$T_ROOT/shared" >>mlbuild.ini
ok mlbuild -f a b c other
did 'a b c d'
from=$PWD
t_dir
mkdir -p deep/er && cd deep/er || exit 1
cp "$from/in.txt" "$from/other.txt" "$from/mlbuild.ini" .
ok mlbuild
did ''
eq "$(cat out/c.txt)" "$(cat "$from/out/c.txt")"

t files of each with the same content are the same action only for the same path
t_dir
mkdir in
echo x >in/1.txt
echo x >in/2.txt
put mlbuild.ini <<'X'
[feature up]
each = in/*.txt
run = echo up >>"$RAN"; cp ${each} ${out}
out = up/${each:stem}.txt
X
ok mlbuild
did 'up up'
mv in/2.txt in/3.txt
ok mlbuild
did up
mv in/3.txt in/2.txt
ok mlbuild
did ''

done_testing
