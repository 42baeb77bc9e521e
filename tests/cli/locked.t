# --locked: what a build would do to mlbuild.lock is known beforehand, and it is left alone.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

# many: a matrix, an `each` target and who reads both.
many() {
	: >"$RAN"
	mkdir -p in
	for i in 1 2 3; do echo "$i" >"in/$i.txt"; done
	put mlbuild.ini <<-'INI'
		[feature m]
		matrix.k = 1 2 3
		run = echo m >>"$RAN"; echo ${matrix:k} > ${out}
		out = out/m-${matrix:k}.txt

		[feature e]
		each = in/*.txt
		run = echo e >>"$RAN"; cp ${each} ${out}
		out = out/e/${each:stem}.txt

		[model all]
		run = echo all >>"$RAN"; cat ${m@k=*} ${e}/*.txt > ${out}
		out = out/all.txt
	INI
}

t a clone without a cache: matrix and each are made, the lock holds
t_dir
t_git
many
ok mlbuild
did 'all e e e m m m'
t_commit
here=$PWD
t_dir
git clone -q "$here" clone && cd clone || exit 1
ok mlbuild -n --locked
has 'will run'
ok mlbuild --locked
did 'all e e e m m m'
eq "$(git status --short)" ''
ok mlbuild --locked
did ''

t and where what they give is not what the lock says, exit 4 and the lock stays
t_dir
git clone -q "$here" clone && cd clone || exit 1
echo other >in/2.txt
code 4 mlbuild --locked
ok git diff --quiet mlbuild.lock
change mlbuild.ini 'echo ${matrix:k} >' 'echo ${matrix:k}x >'
code 4 mlbuild --locked
ok git diff --quiet mlbuild.lock

t with the cache at hand what the lock does not have is not made
cd "$here" || exit 1
: >"$RAN"
echo other >in/2.txt
code 4 mlbuild --locked
did ''
err_has mlbuild.lock

t a dry run tells what the build would: exit 4
t_dir
chain
ok mlbuild
did 'a b c d'
ok mlbuild -n --locked
echo four >>in.txt
code 4 mlbuild -n --locked
out_has a
code 4 mlbuild -n --locked --json
code 4 mlbuild --locked
ok mlbuild -n
ok mlbuild -n --locked d
did ''

t nothing to run, and yet the lock would change
sed '/report d/,$d' mlbuild.ini >new.ini
ok mlbuild
did 'a b c'
mv new.ini mlbuild.ini
cp mlbuild.lock "$T_ROOT/lock"
code 4 mlbuild -n --locked
code 4 mlbuild --locked
ok cmp mlbuild.lock "$T_ROOT/lock"
ok mlbuild
ok mlbuild -n --locked

t a result that the cache has and the lock does not
change mlbuild.ini 'x = 1' 'x = 2'
ok mlbuild
change mlbuild.ini 'x = 2' 'x = 1'
code 4 mlbuild -n --locked
code 4 mlbuild --locked

t a variant is no matter of the lock
ok mlbuild
ok mlbuild -n --locked -p x=7 c

done_testing
