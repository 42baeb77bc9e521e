# A matrix with fewer values: the lock, and what reads it, forget those that are gone.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

fit() {
	put mlbuild.ini <<-INI
		[model a]
		matrix.k = $1
		run = echo \${matrix:k} >>"\$RAN"; echo \${matrix:k} > \${out}
		out = a\${matrix:k}

		[report r]
		run = echo r >>"\$RAN"; cat in.txt > \${out}
		out = r.txt
	INI
}

t a value is taken away, and nothing is built
t_dir
echo 1 >in.txt
fit '1 2'
ok mlbuild
cp mlbuild.lock "$T_ROOT/two"
fit '1 2 3'
ok mlbuild
: >"$RAN"
fit '1 2'
code 4 mlbuild --locked
ok mlbuild
did ''
has mlbuild.lock
ok cmp mlbuild.lock "$T_ROOT/two"
ok mlbuild ls a
hasnt a3
code 2 mlbuild cat 'a@k=3'
ok mlbuild
hasnt mlbuild.lock
ok cmp mlbuild.lock "$T_ROOT/two"

t the same where another target is asked for
fit '1 2 3'
ok mlbuild
did ''
ok mlbuild cat 'a@k=3'
fit '1 2'
ok mlbuild r
ok cmp mlbuild.lock "$T_ROOT/two"

t rows that stay are kept where another target is asked for
fit '1 2 3'
ok mlbuild r
ok cmp mlbuild.lock "$T_ROOT/two"

t with none of its values left the target is not in the lock
fit '7 8'
ok mlbuild r
eq "$(grep -c 'model a' mlbuild.lock)" 0
: >"$RAN"
fit '1 2'
ok mlbuild
did ''
ok cmp mlbuild.lock "$T_ROOT/two"

t what comes back is in the lock again
grep -v '^\[report r' mlbuild.ini | sed '/in.txt/,$d' >new.ini && mv new.ini mlbuild.ini
ok mlbuild
eq "$(grep -c 'report r' mlbuild.lock)" 0
fit '1 2'
ok mlbuild
did ''
ok cmp mlbuild.lock "$T_ROOT/two"

t a table that is not here stays as it is
fit '1 2 3'
rm -rf .mlbuild
ok mlbuild r
ok cmp mlbuild.lock "$T_ROOT/two"

done_testing
