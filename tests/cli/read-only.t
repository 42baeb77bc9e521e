# Commands that only read work in a project that may not be written.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

# reader WORD...  starts mlbuild as somebody who may not write the project
if [ "$(id -u)" = 0 ]; then
	chmod 755 "$T_ROOT" "$T_ROOT/home"
	cp "$MLBUILD" "$T_ROOT/program" && chmod 755 "$T_ROOT/program"
	reader() { setpriv --reuid=65534 --regid=65534 --clear-groups "$T_ROOT/program" "$@"; }
	close_project() { :; }
	setpriv --version >/dev/null 2>&1 || {
		pass # nobody else to be here
		done_testing
	}
else
	reader() { "$MLBUILD" "$@"; }
	close_project() { chmod -R a-w "$T_DIR"; }
fi

project() {
	t_dir
	chain
	put mlbuild.ini <<'X'
[params]
x = 1
[dataset a]
run = echo ${params:x} > ${out}; echo '{"n":1}' > ${metrics}
out = a.txt
metrics = a.json
[feature e]
each = src/*.txt
run = cat ${each} ${a} > ${out}
out = e/${each:name}
X
	put src/1.txt <<'X'
1
X
	put src/2.txt <<'X'
2
X
}

everything() {
	find . -type f -exec cksum {} + | sort
}

readers() {
	close_project
	before=$(everything)
	for words in status 'why a' ls 'show a' 'show a --command' log graph params -n \
		'-n -p x=2' 'status -p x=2'; do
		ok reader $words
		err_hasnt 'Permission denied'
	done
	for words in build '-p x=2' 'adopt a' 'clean a' 'update a'; do
		code 1 reader $words
		err_has 'cannot write'
	done
	eq "$(everything)" "$before"
}

t a project that was built
project
ok mlbuild
readers
ok reader status
has 'everything is up to date (2 targets)'
ok reader show a
has a.json
ok reader log
has '3 built'

t what is stale is told
project
ok mlbuild
echo 3 >src/3.txt
close_project
ok reader status
has '1 of 3 files'

t a journal that was lost
project
ok mlbuild
rm .mlbuild/state.db-*
readers
ok reader status
has 'everything is up to date (2 targets)'

t nothing was built yet
project
readers
gone .mlbuild
ok reader status
has 'not built yet'

t without a look into .mlbuild
project
ok mlbuild
chmod 700 .mlbuild
[ "$(id -u)" = 0 ] || chmod 0 .mlbuild
code 0 reader status
has 'a'

t in a git repository that belongs to another
project
t_git
t_commit
ok mlbuild
git config --global --add safe.directory "$T_DIR"
readers

done_testing
