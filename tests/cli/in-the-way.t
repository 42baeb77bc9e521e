# What stands where an output has to go, or where its directory has to be: what
# mlbuild made goes, what a person made is kept aside, what git tracks is refused.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

# The project makes this output with this text.
makes() {
	put mlbuild.ini <<X
[dataset a]
run = echo a >>"\$RAN"; echo $2 >\${out}${3-}
out = $1
X
}

kept() {
	if grep -rqxF -e "$1" .mlbuild/aside 2>/dev/null; then
		pass
	else
		fail "expected a file with '$1' in .mlbuild/aside"
	fi
}

t an output becomes a directory of one, and the reverse
t_dir
makes x 1
ok mlbuild
makes x/a 2
ok mlbuild
did 'a a'
eq "$(cat x/a)" 2
gone .mlbuild/aside
makes x 1
ok mlbuild
did ''
eq "$(cat x)" 1
makes x/a 2
ok mlbuild
did ''
eq "$(cat x/a)" 2
makes x/a/b/c 3
ok mlbuild
did 'a'
eq "$(cat x/a/b/c)" 3
makes x/ 4 /f
ok mlbuild
did 'a'
eq "$(cat x/f)" 4
makes x/f 5
ok mlbuild
did 'a'
eq "$(cat x/f)" 5

t a directory that the cache has leaves the way of a file that is restored
rm -rf x .mlbuild/aside
makes x 1
ok mlbuild
did ''
eq "$(cat x)" 1
makes x/ 4 /f
ok mlbuild
did ''
makes x 1
ok mlbuild
did ''
eq "$(cat x)" 1
gone .mlbuild/aside
makes x/f 5
ok mlbuild
did ''
eq "$(cat x/f)" 5

t a file of the user in the place of a directory is kept
rm -rf x .mlbuild/aside
echo mine >x
ok mlbuild
did ''
err_has "is kept as '.mlbuild/aside"
kept mine
eq "$(cat x/f)" 5
rm -rf x .mlbuild/aside
echo other >x
makes x/f 6
ok mlbuild
did 'a'
kept other
eq "$(cat x/f)" 6

t so is a link that leads nowhere, and where it leads to a directory it is one
rm -rf x .mlbuild/aside
ln -s nowhere x
ok mlbuild
[ -d x ] && [ ! -L x ] && pass || fail 'x is no directory'
there .mlbuild/aside/*/x
rm -rf x .mlbuild/aside
mkdir y && ln -s y x
ok mlbuild
eq "$(cat y/f)" 6
[ -L x ] && pass || fail 'the link is gone'
rm x && mv y x

t a directory with files of the user in the place of a file is kept
makes x 7
echo mine >x/notes
ok mlbuild
did 'a'
eq "$(cat x)" 7
kept mine

t a command that fails leaves what was there, or the note of where it is
rm -rf x .mlbuild/aside
mkdir x
echo mine >x/notes
makes x 8 '; false'
code 1 mlbuild
did 'a'
eq "$(cat x/notes)" mine
rm -rf x
echo mine >x
makes x/a 9 '; false'
code 1 mlbuild
did 'a'
err_has "is kept as '.mlbuild/aside"
kept mine

t what git tracks is not moved for an output
t_dir
t_git
mkdir src
echo code >src/code.py
echo text >README
makes src 1
t_commit
code 1 mlbuild
did ''
err_has "the directory 'src', which git tracks, is in the way of the output 'src'"
eq "$(cat src/code.py)" code
makes README/x 1
code 1 mlbuild
did ''
err_has "the file 'README', which git tracks, is in the way of the output 'README/x'"
eq "$(cat README)" text

t files of each, too
t_dir
mkdir in
echo 1 >in/1
put mlbuild.ini <<'X'
[feature e]
each = in/*
run = echo e >>"$RAN"; cp ${each} ${out}
out = e/${each:stem}.txt
X
echo mine >e
ok mlbuild
did 'e'
eq "$(cat e/1.txt)" 1
kept mine
rm -rf e .mlbuild/aside
echo other >e
ok mlbuild
did ''
eq "$(cat e/1.txt)" 1
kept other

done_testing
