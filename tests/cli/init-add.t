# init writes a commented mlbuild.ini and never overwrites; add keeps what is there.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

t init in an empty directory
t_dir
ok mlbuild init
there mlbuild.ini
ok grep -q 'bash -eo pipefail -c' mlbuild.ini
ok grep -q '^;' mlbuild.ini
ok mlbuild ls
ok mlbuild

t it never overwrites
cp mlbuild.ini "$T_ROOT/ini"
code 2 mlbuild init
err_has mlbuild.ini
ok cmp mlbuild.ini "$T_ROOT/ini"

t it makes the directory
t_dir
ok mlbuild init sub/deep
there sub/deep/mlbuild.ini
has 'wrote sub/deep/mlbuild.ini'
ok grep -q '^name = deep' sub/deep/mlbuild.ini
ok mlbuild -C sub/deep ls
echo x >file
code 1 mlbuild init file/sub
err_has file
eq "$(cat file)" x

t it finds the lock file of the Python environment
for f in uv.lock requirements.txt environment.yml; do
	t_dir
	echo x >$f
	ok mlbuild init
	ok grep -qE "^needs *= *$f" mlbuild.ini
done

t add appends a dataset, keeping comments and order
t_dir
put mlbuild.ini <<'X'
; my comment
[params]
# another
x = 1

[dataset old]
path = old.csv
X
cp mlbuild.ini "$T_ROOT/ini"
echo 1 >old.csv
put data/images/1.jpg <<'X'
1
X
put data/new.csv <<'X'
1
X
ok mlbuild add data/new.csv
ok grep -q '^\[dataset new\]' mlbuild.ini
eq "$(head -n 7 mlbuild.ini)" "$(cat "$T_ROOT/ini")"
ok mlbuild add data/images --name pictures
ok grep -q '^\[dataset pictures\]' mlbuild.ini
ok mlbuild ls
out_has pictures
out_has data/new.csv
ok mlbuild

t twice is an error, so is what is not there
cp mlbuild.ini "$T_ROOT/ini"
code 2 mlbuild add data/new.csv
err_has 'data/new.csv'
code 2 mlbuild add data/nothing.csv
err_has data/nothing.csv
code 2 mlbuild add old.csv --name pictures
err_has "'old'"
echo 1 >fresh.csv
code 2 mlbuild add fresh.csv --name pictures
err_has "'pictures'"
ok cmp mlbuild.ini "$T_ROOT/ini"

t a name that cannot be one
echo 1 >'data/a b.csv'
ok mlbuild add 'data/a b.csv'
ok mlbuild ls
ok mlbuild

t a file without a newline at its end
printf '[params]\nx = 1' >mlbuild.ini
ok mlbuild add old.csv
ok mlbuild params
out_has x
ok mlbuild ls
out_has old

t what would break the project is refused, and mlbuild.ini stays as it was
t_dir
t_git
put mlbuild.ini <<'X'
[feature a]
run = echo 1 > ${out}
out = a.txt
[feature d]
run = mkdir -p ${out} && echo 1 > ${out}/x
out = d/
[feature in]
run = echo 1 > ${out}
out = sub/in.txt
X
ok mlbuild
cp mlbuild.ini "$T_ROOT/ini"
refused() {
	code 2 mlbuild add "$1"
	err_has "$2"
	ok cmp mlbuild.ini "$T_ROOT/ini"
}
refused . 'the project itself'
refused "$PWD" 'the project itself'
refused .git '.git'
refused .git/config '.git'
refused .mlbuild '.mlbuild'
refused mlbuild.lock 'mlbuild.lock'
refused a.txt "output of 'a'"
refused d "output of 'd'"
refused d/x "output of 'd'"
refused sub "output of 'in'"
echo 1 >dx
ok mlbuild add dx
ok mlbuild

t a project that has nothing yet
t_dir
ok mlbuild init
ok mlbuild
err_has 'nothing to build'
ok mlbuild status
has 'nothing to build'
printf '[task t]\nrun = echo hi\n' >>mlbuild.ini
ok mlbuild
err_has 'only tasks'
ok mlbuild t
has hi

done_testing
