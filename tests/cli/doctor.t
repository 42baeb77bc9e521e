# doctor says what is wrong, and how to mend it.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

t a good project
t_dir
t_git
chain
t_commit
ok mlbuild
ok mlbuild doctor
out_has 'mlbuild.ini'
out_has '4 targets'
match 'git.*(HEAD|main|work tree|repository)'

t no project
t_dir
ok mlbuild doctor
out_has "'mlbuild init' begins one"

t a broken project
t_dir
printf '[modle x]\n' >mlbuild.ini
code 1 mlbuild doctor
out_has 'mlbuild.ini:1'
out_has "did you mean 'model'"

done_testing
