# state.db and the lock can be lost: nothing is built again for it.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

t without state.db
t_dir
chain
ok mlbuild
did 'a b c d'
cp mlbuild.lock "$T_ROOT/lock"
rm -f .mlbuild/state.db .mlbuild/state.db-*
ok mlbuild
did ''
ok cmp mlbuild.lock "$T_ROOT/lock"

t without state.db and outputs
rm -rf out .mlbuild/state.db .mlbuild/state.db-*
ok mlbuild
did ''
there out/a.txt out/b.txt out/c.txt out/d.txt

t without the lock
rm mlbuild.lock
ok mlbuild
did ''
ok cmp mlbuild.lock "$T_ROOT/lock"

t without either, and no outputs
rm -rf out mlbuild.lock .mlbuild/state.db .mlbuild/state.db-*
ok mlbuild
did ''
there out/a.txt out/b.txt out/c.txt out/d.txt
ok cmp mlbuild.lock "$T_ROOT/lock"

t without the compiled graph
rm -f .mlbuild/graph
ok mlbuild
did ''

t a state.db that is no database
echo 'not a database at all, but long enough to be looked at' >.mlbuild/state.db
rm -f .mlbuild/state.db-*
ok mlbuild
did ''

t a compiled graph that is damaged
[ -e .mlbuild/graph ] && head -c 100 .mlbuild/graph >.mlbuild/g && mv .mlbuild/g .mlbuild/graph
ok mlbuild
did ''

t without the whole of .mlbuild everything runs, and gives the same lock
rm -rf .mlbuild out
ok mlbuild
did 'a b c d'
ok cmp mlbuild.lock "$T_ROOT/lock"

t only outputs and lock: what is there is what the lock says
rm -rf .mlbuild
ok mlbuild
did ''

done_testing
