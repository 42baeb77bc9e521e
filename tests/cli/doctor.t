# doctor says what is wrong, and how to mend it.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

t a good project
t_dir
t_git
chain
t_commit
ok mlbuild
t_run_ mlbuild doctor
[ "$T_CODE" -le 1 ] && pass || fail "exit code $T_CODE"
has mlbuild.ini
has git

t no project
t_dir
t_run_ mlbuild doctor
[ "$T_CODE" -le 2 ] && pass || fail "exit code $T_CODE"
has init

t a broken project
t_dir
printf '[modle x]\n' >mlbuild.ini
t_run_ mlbuild doctor
has modle
[ "$T_CODE" != 0 ] && pass || fail 'exit code 0'

done_testing
