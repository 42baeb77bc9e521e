# version, help, completions, and what goes to which stream.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

t version
t_dir
ok mlbuild version
match '[0-9]+\.[0-9]+\.[0-9]+'
ok mlbuild --version

t help names every command
commands='build status why graph ls init add update adopt show log params clean cat checkout doctor du fsck gc version help'
ok mlbuild help
for c in $commands; do
	match "^ +$c "
done
for c in $commands; do
	ok mlbuild "$c" --help
	out_has "mlbuild $c"
done
ok mlbuild --help
ok mlbuild help build
for o in -j -k -n --dry-run -f --force -p --into --locked --only --downstream -v -q --json --trace -C --color; do
	match "$o"
	ok mlbuild help build
done

t an empty directory
code 2 mlbuild
code 2 mlbuild status

t a word that is a command and a target is the command, with a note
put mlbuild.ini <<'X'
[report status]
run = echo s >>"$RAN"; echo 1 > ${out}
out = s.txt
X
ok mlbuild status
did ''
err_has build
ok mlbuild build status
did 's'

t what help prints fits into 80 columns
for command in '' $(mlbuild help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
	ok mlbuild help $command
	eq "$(grep -E '^.{81}' "$T_OUT")" ''
done

t -q says nothing when all is well
ok mlbuild -q
eq "$(cat "$T_ALL")" ''

t results go to stdout, the rest to stderr
echo '# ' >>mlbuild.ini
ok mlbuild -f build status
ok mlbuild ls
eq "$(cat "$T_ERR")" ''

t 'no colours where there is no terminal; --color always'
ok mlbuild -f build status
eq "$(tr -d '\033' <"$T_ALL" | wc -c)" "$(wc -c <"$T_ALL")"
ok mlbuild --color always -f build status
t_n=$(tr -cd '\033' <"$T_ALL" | wc -c)
[ "$t_n" -gt 0 ] && pass || fail 'no colour'

t a target and --help: what a build has, for that is what naming a target does
t_dir
put mlbuild.ini <<'X'
[task go]
run = true
X
ok mlbuild go --help
out_has 'build'
out_has '--force'
ok mlbuild go --version
out_hasnt 'go'

done_testing
