# What the EXAMPLES of the manual pages say can be typed as it stands.
. "${0%/*}/lib.sh"

: "${MLBUILD_SRC:?must be the source directory}"
mkdir "$T_ROOT/bin" "$HOME/.zfunc" "$HOME/.config" "$HOME/.config/fish" "$HOME/.config/fish/completions"
ln -s "$MLBUILD" "$T_ROOT/bin/mlbuild"
PATH=$T_ROOT/bin:$PATH
export PATH

# examples PAGE: its command lines
examples() {
	sed -n -e 's/^\.Dl \$ //p' -e 's/^\$ //p' "$MLBUILD_SRC/man/$1" | sed 's/\\(dq/"/g'
}

# Is every program of the line here? An editor is nobody's.
can_run() {
	case $1 in
	vi*) return 1 ;;
	*'| jq'*) command -v jq >/dev/null ;;
	*'| dot'*) command -v dot >/dev/null ;;
	esac
}

project() {
	t_dir
	git init -q .
	put params.yaml <<'X'
model:
  C: 1.0
X
	put dev.yaml <<'X'
model:
  C: 0.5
X
	put train.py <<'X'
X
	put mlbuild.ini <<'X'
[params]
file = params.yaml
[dataset raw]
path = raw.csv
[dataset prices]
run = date > ${out}
out = prices.txt
frozen = yes
[model model]
run = cat ${raw} train.py > ${out}; echo ${params:model.C} >> ${out}
out = model.txt
[model churn]
run = cat ${raw} > ${out}
out = churn.txt
owner = me
X
	echo 1 >raw.csv
	mkdir -p data/raw
	echo 1 >data/raw/2026-11.parquet
	ok mlbuild
	GIT_COMMITTER_DATE="@$(($(date +%s) - 800000)) +0000" t_commit
	git tag v1.2
}

# Some lines are for bash.
shell=$(command -v bash || echo sh)

for page in "$MLBUILD_SRC"/man/mlbuild*.1; do
	page=${page##*/}
	t "$page"
	project
	if [ "$page" = mlbuild-init.1 ]; then
		t_dir
		put data/digits.csv <<'X'
1,2
X
	fi
	examples "$page" >"$T_ROOT/lines"
	while IFS= read -r line <&3; do
		can_run "$line" || continue
		t_run_ "$shell" -c "$line"
		case $T_CODE/$line in
		0/* | 4/*--exit-code) pass ;;
		*) fail "exit code $T_CODE: $line" ;;
		esac
	done 3<"$T_ROOT/lines"
done

done_testing
