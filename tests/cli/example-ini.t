# mlbuild.ini.example shows every key, and is read.
. "${0%/*}/lib.sh"

: "${MLBUILD_SRC:?must be the source directory}"

t_dir
cp "$MLBUILD_SRC/mlbuild.ini.example" mlbuild.ini
put params.yaml <<'X'
train:
  lr: 0.1
X
put pipelines/more.ini <<'X'
; nothing more
X
put uv.lock <<'X'
lock
X
put src/train.py <<'X'
X
# The example shows `use`; as long as there is no such stage, that is said, and nothing else.
t it is parsed
code 2 mlbuild ls
eq "$(grep -vc 'there is no stage' "$T_ERR")" 0
err_has 'there is no stage'

t a mistake in it would be seen
cp mlbuild.ini whole.ini
sed 's/^timeout/timeuot/' whole.ini >mlbuild.ini
code 2 mlbuild ls
err_has timeuot
mv whole.ini mlbuild.ini

t it shows every key
for key in name default expose file shell needs files dir link size salt slots url run use path out metrics \
	fingerprint guards each batch cpus mem gpus timeout retries retry_delay secret frozen deterministic store \
	desc owner tags; do
	ok grep -qE "^;? ?$key( |=|\.)" mlbuild.ini
done
for key in 'matrix\.' 'env\.' 'pool\.' 'out\.'; do
	ok grep -qE "^;? ?$key" mlbuild.ini
done
for section in project params defaults include cache 'remote ' 'pool ' 'notify ' trust 'dataset ' 'feature ' 'model ' \
	'report ' 'check ' 'task '; do
	ok grep -qF "[$section" mlbuild.ini
done

done_testing
