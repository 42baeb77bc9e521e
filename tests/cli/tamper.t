# Outputs that somebody changed are noticed, and what was made comes back.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

t an output that was changed is restored
t_dir
chain
ok mlbuild
did 'a b c d'
cp out/c.txt "$T_ROOT/c"
chmod u+w out/c.txt
echo tampered >>out/c.txt
ok mlbuild
did ''
ok cmp out/c.txt "$T_ROOT/c"

t what was there is kept aside, not deleted
ok grep -rq tampered .mlbuild/aside

t the same size and the same time
cp -p out/c.txt keep
chmod u+w out/c.txt
printf 'ONE-1\ntwo-1\none-1\ntwo-1\n' >out/c.txt
touch -r keep out/c.txt
rm keep
ok mlbuild
did ''
ok cmp out/c.txt "$T_ROOT/c"

t an intermediate that was changed is not read
chmod u+w out/b.txt
echo tampered >out/b.txt
change mlbuild.ini 'cat ${b} ${b}' 'cat ${b}'
ok mlbuild c
did 'c'
eq "$(cat out/c.txt)" "$(printf 'one-1\ntwo-1')"

t a file in a directory, added, changed, removed
t_dir
put mlbuild.ini <<'X'
[dataset dir]
run = echo dir >>"$RAN"; echo 1 > ${out}/1; echo 2 > ${out}/2
out = dir/
X
ok mlbuild
did 'dir'
echo 3 >dir/3
ok mlbuild
did ''
gone dir/3
chmod u+w dir/2
echo 9 >dir/2
ok mlbuild
did ''
eq "$(cat dir/2)" 2
rm -f dir/1
ok mlbuild
did ''
there dir/1

t an output replaced by a directory, a directory by a file
t_dir
put mlbuild.ini <<'X'
[dataset dir]
run = echo dir >>"$RAN"; echo 1 > ${out}/1
out = dir/
[dataset file]
run = echo file >>"$RAN"; echo 1 > ${out}
out = file
X
ok mlbuild
did 'dir file'
rm -rf dir file
echo x >dir
mkdir file
echo y >file/y
ok mlbuild
did ''
eq "$(cat dir/1)" 1
eq "$(cat file)" 1

t an output replaced by a symbolic link
rm file
echo elsewhere >target.txt
ln -s target.txt file
ok mlbuild
did ''
[ ! -L file ] || fail 'file is still a link'
eq "$(cat file)" 1
eq "$(cat target.txt)" elsewhere

t what stood there before the first build is kept aside
t_dir
chain
put out/a.txt <<'X'
mine
X
ok mlbuild
did 'a b c d'
ok grep -rqx mine .mlbuild/aside

t nor is what was edited lost where nothing is stored
t_dir
put mlbuild.ini <<'X'
[params]
v = 1
[dataset a]
run = echo ${params:v} >${out:x}; echo ${params:v} >${out:y}
out.x = x.txt
out.y = y.txt
store = no
X
ok mlbuild
change mlbuild.ini 'v = 1' 'v = 2'
ok mlbuild
eq "$(cat x.txt)" 2
gone .mlbuild/aside
echo 'by hand' >x.txt
change mlbuild.ini 'v = 2' 'v = 3'
ok mlbuild
eq "$(cat x.txt y.txt | tr '\n' ' ')" '3 3 '
ok grep -rqx 'by hand' .mlbuild/aside

t a link that somebody put in the place of an output is kept
t_dir
put mlbuild.ini <<'X'
[dataset a]
run = echo 1 >${out}
out = a.txt
X
ok mlbuild
mv a.txt "$T_ROOT/far"
ln -s "$T_ROOT/far" a.txt
change mlbuild.ini 'echo 1' 'echo 2'
ok mlbuild
eq "$(cat a.txt)" 2
[ ! -L a.txt ] && pass || fail 'a.txt is a link'
eq "$(readlink .mlbuild/aside/*/a.txt)" "$T_ROOT/far"
eq "$(cat "$T_ROOT/far")" 1

t what the cache has damaged is kept, whatever its name says
t_dir
: >"$RAN"
version() {
	put mlbuild.ini <<X
[dataset small]
run = echo small >>"\$RAN"; echo small-$1 >\${out}
out = small.txt
[dataset big]
run = echo big >>"\$RAN"; yes big-$1 | head -c 300000 >\${out}
out = big.txt
[dataset dir]
run = echo dir >>"\$RAN"; echo other-$1 >\${out}/1
out = dir/
X
}
spoil() { # this version
	LC_ALL=C sed -i "s/small-$1/smell-$1/; s/other-$1/otter-$1/" .mlbuild/cache/v1/packs/*
	sum=$(sha256sum <big.txt)
	sum=${sum%% *}
	: >".mlbuild/cache/v1/objects/${sum%"${sum#??}"}/${sum#??}"
}
kept_all() {
	for text in small-$1 big-$1 other-$1; do
		ok grep -rqxF "$text" .mlbuild/aside
	done
	rm -rf .mlbuild/aside
}
version 1
ok mlbuild
version 2
ok mlbuild
spoil 2
: >"$RAN"
version 3
ok mlbuild
did 'big dir small'
kept_all 2
version 4
ok mlbuild
spoil 4
: >"$RAN"
rm dir/1 && rmdir dir
version 3
ok mlbuild
did ''
ok grep -rqxF small-4 .mlbuild/aside
ok grep -rqxF big-4 .mlbuild/aside
rm -rf .mlbuild/aside

t clean does not remove it unasked
spoil 3
code 2 mlbuild clean --all
there small.txt big.txt dir/1

t nor is it lost where it stands in the way of an output
t_dir
version 1
ok mlbuild
cp big.txt "$T_ROOT/big"
spoil 1
rm -r dir
cp "$T_ROOT/big" dir
change mlbuild.ini 'out = dir/' 'out = dir/deep/'
ok mlbuild dir
there dir/deep/1
ok grep -rqxF big-1 .mlbuild/aside

t nor where another variant is put in its place
t_dir
put mlbuild.ini <<'X'
[params]
x = 1
[dataset small]
run = echo small-${params:x} >${out}
out = small.txt
X
ok mlbuild
ok mlbuild -p x=5 --into "$T_ROOT/into" small
LC_ALL=C sed -i s/small-5/smell-5/ .mlbuild/cache/v1/packs/*
ok mlbuild -p x=6 --into "$T_ROOT/into" small
eq "$(cat "$T_ROOT/into/small.txt")" small-6
ok grep -rqxF small-5 .mlbuild/aside

done_testing
