# fingerprint: commands whose output counts as an input.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

VERSION_OF_TOOL=$T_ROOT/version
export VERSION_OF_TOOL
echo 1.0 >"$VERSION_OF_TOOL"
t_dir
put mlbuild.ini <<'X'
[dataset a]
run = echo a >>"$RAN"; echo 1 > ${out}
out = a.txt
fingerprint =
    cat "$VERSION_OF_TOOL"
    uname -m
[model m]
run = echo m >>"$RAN"; cat ${a} > ${out}
out = m.txt
X

t its output is in the key
ok mlbuild
did 'a m'
ok mlbuild
did ''
echo 1.1 >"$VERSION_OF_TOOL"
ok mlbuild
did 'a'
echo 1.0 >"$VERSION_OF_TOOL"
ok mlbuild
did ''

t why says which
echo 1.2 >"$VERSION_OF_TOOL"
ok mlbuild why a
has VERSION_OF_TOOL

t one that fails is an error that shows what it said
rm "$VERSION_OF_TOOL"
code 1 mlbuild
err_has VERSION_OF_TOOL
err_has 'No such file'
did ''

t one that fails without a word
t_dir
put mlbuild.ini <<'X'
[dataset a]
run = echo 1 > ${out}
out = a.txt
fingerprint = false
X
code 1 mlbuild
match "its fingerprint 'false' failed with exit code 1\$"
match '^mlbuild: 1 blocked$'

t one that fails with many words tells the last line, where the error is
change mlbuild.ini 'fingerprint = false' 'fingerprint = printf "Traceback (most recent call last):\\n  File x\\nKeyError: 7\\n\\n"; exit 3'
code 1 mlbuild
err_has 'failed with exit code 3: KeyError: 7'
err_hasnt 'line 1'

t one that a signal ends
change mlbuild.ini 'fingerprint = .*' 'fingerprint = kill -9 $$'
code 1 mlbuild
err_has "its fingerprint 'kill -9 \$\$' was killed by signal 9"
echo 1 >"$VERSION_OF_TOOL"

t in defaults, for every target
t_dir
echo 1 >"$VERSION_OF_TOOL"
put mlbuild.ini <<'X'
[defaults]
fingerprint = cat "$VERSION_OF_TOOL"
[dataset a]
run = echo a >>"$RAN"; echo 1 > ${out}
out = a.txt
fingerprint = echo own
[dataset b]
run = echo b >>"$RAN"; echo 1 > ${out}
out = b.txt
X
ok mlbuild
did 'a b'
echo 2 >"$VERSION_OF_TOOL"
ok mlbuild
did 'a b'

t the same command is asked once
t_dir
put mlbuild.ini <<'X'
[defaults]
fingerprint = echo asked >>"$RAN"; echo 1
[dataset a]
run = echo 1 > ${out}
out = a.txt
[dataset b]
run = echo 1 > ${out}
out = b.txt
[dataset c]
run = echo 1 > ${out}
out = c.txt
X
ok mlbuild
did 'asked'

done_testing
