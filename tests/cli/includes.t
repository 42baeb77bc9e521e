# [include] is textual; paths are relative to the root; [defaults] covers its file.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

t_dir
put mlbuild.ini <<'X'
[include]
files = pipelines/*.ini
[params]
x = 1
[defaults]
env.WHO = root
[dataset a]
run = echo a >>"$RAN"; echo "$WHO" > ${out}
out = a.txt
X
put pipelines/one.ini <<'X'
[defaults]
env.WHO = one
[feature b]
run = echo b >>"$RAN"; cat ${a} in.txt > ${out}; echo "$WHO ${params:x}" >> ${out}
out = out/b.txt
X
put pipelines/two.ini <<'X'
[model c]
run = echo c >>"$RAN"; cat ${b} > ${out}; echo "$WHO" >> ${out}
out = out/c.txt
X
echo in >in.txt

t targets of all files, defaults of their own
ok mlbuild
did 'a b c'
eq "$(cat a.txt)" root
eq "$(sed -n 3p out/b.txt)" 'one 1'
eq "$(sed -n 4p out/c.txt)" 'root'

t a change in an included file
change pipelines/one.ini 'WHO = one' 'WHO = uno'
ok mlbuild
did 'b c'

t a new included file
put pipelines/three.ini <<'X'
[report d]
run = echo d >>"$RAN"; cat ${c} > ${out}
out = out/d.txt
X
ok mlbuild
did 'd'

t one that goes
rm pipelines/three.ini
ok mlbuild
did ''
code 2 mlbuild d

t moving a target between files runs nothing
cat pipelines/two.ini >>mlbuild.ini
rm pipelines/two.ini
ok mlbuild
did ''

t an error in an included file names it
put pipelines/four.ini <<'X'
[model a]
run = echo 1 > ${out}
out = d.txt
X
code 2 mlbuild
err_has pipelines/four.ini:1
err_has mlbuild.ini
rm pipelines/four.ini

t no file for a plain name is an error
change mlbuild.ini 'pipelines/\*.ini' 'pipelines/nothing.ini'
code 2 mlbuild
err_has pipelines/nothing.ini

t dir: references expand relative to it, paths stay relative to the root
t_dir
: >"$RAN"
put sub/tool.sh <<'X'
echo tool >>"$RAN"
cat "$1" in-sub.txt >"$2"
X
echo sub >sub/in-sub.txt
put mlbuild.ini <<'X'
[dataset a]
run = echo top > ${out}
out = data/a.txt
[model m]
dir = sub
run = sh tool.sh ${a} ${out}
out = out/m.txt
X
ok mlbuild
did 'tool'
eq "$(tr '\n' ' ' <out/m.txt)" 'top sub '

t a script in dir is an input
echo '# more' >>sub/tool.sh
ok mlbuild
did 'tool'

t -C, and a start from below
cd sub || exit 1
ok mlbuild
did ''
cd / || exit 1
ok mlbuild -C "$T_DIR"
did ''
cd "$T_DIR" || exit 1

t mlbuild.ini through a symbolic link to the project
ln -s "$T_DIR" "$T_ROOT/link"
ok mlbuild -C "$T_ROOT/link"
did ''

done_testing
