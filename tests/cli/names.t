# File names with spaces, quotes, newlines, UTF-8 and leading dashes.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

t outputs and references with odd names
i=0
for name in 'with space.txt' "it's.txt" 'say "hi".txt' 'ünïcödé 日本.txt' '-n' '--out=x' 'semi;colon.txt' \
	'dollar$HOME.txt' 'back\slash.txt' 'star*.txt' 'hash#.txt' 'a=b.txt' 'amp&.txt' 'percent%41.txt' \
	'(paren).txt' 'tick`id`.txt' '~tilde' '!bang!'; do
	i=$((i + 1))
	t_dir
	: >"$RAN"
	quoted=$(printf '%s' "$name" | sed "s/'/'\"'\"'/g")
	cat >mlbuild.ini <<X
[dataset a]
run = echo a >>"\$RAN"; echo content > \${out}
out = '$quoted'
[model b]
run = echo b >>"\$RAN"; cat -- \${a} > \${out}; test -f "\$PWD/"\${a}
out = 'dir $i/$quoted'
X
	ok mlbuild
	did 'a b'
	eq "$(cat "./$name")" content
	eq "$(cat "dir $i/$name")" content
	ok mlbuild
	did ''
	rm -- "./$name" "dir $i/$name"
	ok mlbuild
	did ''
	there "./$name" "dir $i/$name"
	ok mlbuild status
	ok mlbuild show a
done

t names inside quotes
t_dir
: >"$RAN"
put mlbuild.ini <<'X'
[dataset a]
run = echo content > "${out}"
out = "it's a "'"name"'" $x `y`.txt"
[model b]
run = cat "${a}" '${a}' ${a} > '${out}'
out = "b's.txt"
X
ok mlbuild
eq "$(wc -l <"b's.txt")" 3

t sources in a directory, with newlines and every other byte that a name may have
t_dir
: >"$RAN"
mkdir in
nl=$(printf 'a\nb')
tab=$(printf 'a\tb')
one=$(printf 'a\001b')
for f in "$nl" "$tab" "$one" ' lead' 'trail ' '-rf' 'ü' "'" '"' '\'; do
	echo "$f" >"in/$f"
done
put mlbuild.ini <<'X'
[dataset copy]
run = echo copy >>"$RAN"; cp -r in/. ${out}
out = copy/
needs = in
[model count]
run = echo count >>"$RAN"; find ${copy} -type f -exec cat {} + | wc -l > ${out}
out = count.txt
X
ok mlbuild
did 'copy count'
there "copy/$nl" "copy/$one"
rm -r copy
ok mlbuild
did ''
ok diff -r in copy
printf 'changed\n' >"in/$nl"
ok mlbuild
did 'copy count'
ok diff -r in copy

t the same as sources that are matched one by one
t_dir
: >"$RAN"
mkdir in
for f in "$nl" ' lead' '-rf' "it's" 'a b'; do
	echo 1 >"in/$f"
done
put mlbuild.ini <<'X'
[feature up]
each = in/*
run = echo up >>"$RAN"; cat -- ${each} > ${out}
out = up/${each:name}
X
ok mlbuild
did 'up up up up up'
there "up/$nl" 'up/ lead' 'up/-rf' "up/it's"
ok mlbuild
did ''

t the project itself in a directory with an odd name
t_dir
mkdir "a 'b' \"c\" \$d"
cd "a 'b' \"c\" \$d" || exit 1
chain
ok mlbuild
did 'a b c d'
rm -r out
ok mlbuild
did ''

done_testing
