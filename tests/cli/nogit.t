# Outside a git repository: the same, without pins, said once.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

t_dir
chain
ok mlbuild
did 'a b c d'
eq "$(grep -ci 'git' "$T_ERR" | awk '{ print ($1 >= 1) }')" 1
echo three >>in.txt
ok mlbuild
did 'a b c'
eq "$(grep -ci 'repository' "$T_ERR")" 0
ok mlbuild show c

done_testing
