# Files of a person's that mlbuild rewrites may be links, and other things than files.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

t .gitignore, mlbuild.lock and mlbuild.ini stay the links that they are, with their permissions
t_dir
t_git
chain
far=$T_ROOT/far
mkdir "$far"
mv mlbuild.ini "$far/ini"
chmod 600 "$far/ini"
echo '*.bak' >"$far/ignore"
: >"$far/lock"
ln -s "$far/ini" mlbuild.ini
ln -s "$far/ignore" .gitignore
ok mlbuild
did 'a b c d'
mv mlbuild.lock "$far/lock"
ln -s "$far/lock" mlbuild.lock
echo three >>in.txt
ok mlbuild
did 'a b c'
put more.csv <<'X'
1
X
ok mlbuild add more.csv
for f in mlbuild.ini mlbuild.lock .gitignore; do
	[ -L $f ] && pass || fail "$f is no link any more"
done
ok grep -q 'dataset more' "$far/ini"
eq "$(stat -c %a "$far/ini")" 600
ok grep -q out/a.txt "$far/ignore"
ok mlbuild
ok mlbuild status
has 'up to date'
eq "$(ls -A "$far" | tr '\n' ' ')" 'ignore ini lock '

t a trace goes into a pipe, a link to it too, and a file that it replaces keeps its permissions
mkfifo pipe
ln -s pipe link
for to in pipe link; do
	cat pipe >"$T_ROOT/trace" &
	ok timeout 60 "$MLBUILD" --trace $to -f c
	wait $!
	ok grep -q '"c"' "$T_ROOT/trace"
done
[ -p pipe ] && [ -L link ] && pass || fail 'the pipe or the link was replaced'
echo old >trace.json
chmod 600 trace.json
ok mlbuild --trace trace.json -f c
ok grep -q '"c"' trace.json
eq "$(stat -c %a trace.json)" 600

t a link that leads nowhere is an error, not a new file in its place
ln -s nowhere/at/all broken
code 2 mlbuild --trace broken -f c
err_has broken
[ -L broken ] && pass || fail 'the link was replaced'

done_testing
