# What the EXAMPLES of the manual pages say can be typed as it stands: commands and
# options that there are. Where this project has what they name they must succeed.
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

# Must it succeed in the project below? Of other pages, only how a line is written is tested.
is_ours() {
	case $page/$1 in
	*--exit-code* | *--rev* | */git\ *) return 1 ;;
	esac
	case ${page#mlbuild} in
	.1 | -add.1 | -adopt.1 | -build.1 | -clean.1 | -completion.1 | -doctor.1 | -graph.1 | -help.1 | -init.1 | \
		-log.1 | -params.1 | -show.1 | -status.1 | -update.1 | -version.1 | -why.1) ;;
	*) return 1 ;;
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
[model m]
run = cat ${raw} >${out}; echo '{"accuracy": 0.9}' >${metrics}
out = m.bin
metrics = m.json
X
	echo 1 >raw.csv
	mkdir -p data/raw
	echo 1 >data/raw/2026-11.parquet
	ok mlbuild
	GIT_COMMITTER_DATE="@$(($(date +%s) - 800000)) +0000" t_commit
	git tag v1.2
	git commit -q --allow-empty -m later
	mkdir -p ~/Downloads
	cp m.bin ~/Downloads/m.bin
}

# Some lines are for bash.
shell=$(command -v bash || echo sh)

for page in "$MLBUILD_SRC"/man/mlbuild*.1; do
	page=${page##*/}
	t "$page"
	project
	if [ "$page" = mlbuild-init.1 ]; then
		t_dir
		git init -q .
		put data/digits.csv <<'X'
1,2
X
	fi
	examples "$page" >"$T_ROOT/lines"
	while IFS= read -r line <&3; do
		can_run "$line" || continue
		t_run_ "$shell" -c "$line"
		if grep -qE "there is no (option|command)|needs (a value|more)|takes no|see 'mlbuild help'" "$T_ERR"; then
			fail "not how mlbuild is used: $line"
		elif [ "$T_CODE" = 0 ] || ! is_ours "$line"; then
			pass
		else
			fail "exit code $T_CODE: $line"
		fi
	done 3<"$T_ROOT/lines"
done

done_testing
