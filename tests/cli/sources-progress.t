# Reading many sources takes a while: it is said, while it happens and once at the end.
. "${0%/*}/lib.sh"

t_dir
mkdir data
# One file of more than 64 MiB, which costs next to nothing to make.
truncate -s 70M data/large
echo 1 >data/small
put mlbuild.ini <<'INI'
[dataset many]
path = data
INI

t of much one line is left
ok mlbuild many
err_has 'files of sources (70.0 MiB)'

t once it is known nothing is said
ok mlbuild many
hasnt 'files of sources'

t of little nothing is said
echo 2 >data/small
ok mlbuild many
hasnt 'files of sources'

t a program is told how far it has come
echo 2 >>data/large
echo 3 >data/small
ok mlbuild --json many
has '"event":"progress"'
has '"files":0,"bytes":0,"total_bytes":73400324'
has '"files":2,"bytes":73400324,"total_bytes":73400324'

t with --quiet nothing is said
echo 3 >>data/large
ok mlbuild -q many
hasnt 'files of sources'

done_testing
