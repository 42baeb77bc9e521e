# The command line: options, words, mistakes, help, completion, and where output goes.
. "${0%/*}/lib.sh"

t_dir
echo 1 >raw.csv
put mlbuild.ini <<'X'
[params]
seed = 7
model.C = 1.0

[dataset raw]
path = raw.csv

[model model]
run = cat ${raw} > ${out}
out = model.txt

[task status]
run = true
X

t 'short options: joined, with a value behind or beside them'
ok mlbuild -kn model
ok mlbuild -knj4 model
ok mlbuild -knj 4 model
ok mlbuild -j4 -n
ok mlbuild -npseed=8 model
ok mlbuild -n -p seed=8 -p model.C=2 model
ok mlbuild params -p seed=8
out_has 8

t 'long options: with = or a blank'
ok mlbuild --dry-run --jobs=4 model
ok mlbuild --dry-run --jobs 4 --param seed=9 model
ok mlbuild params --param=seed=9
out_has 9

t options stand before and behind words
ok mlbuild model -n
ok mlbuild -n build model
ok mlbuild build model --dry-run
ok mlbuild --json ls

t 'behind -- everything is a target'
ok mlbuild -n -- status
err_hasnt note
code 2 mlbuild -n -- --keep-going
err_has "'--keep-going'"

t a mistyped option gets the nearest
code 2 mlbuild --forcee model
err_has "'--force'"
code 2 mlbuild --dryrun
err_has "'--dry-run'"
code 2 mlbuild --xyzzyx
err_has "mlbuild help"
code 2 mlbuild -x
err_has "'-x'"
code 2 mlbuild -kx
err_has "'-kx'"

t values
code 2 mlbuild -j
err_has "'-j' needs a value"
code 2 mlbuild --jobs
err_has "'--jobs' needs a value"
code 2 mlbuild -j0
err_has "'0'"
code 2 mlbuild -jx
code 2 mlbuild --jobs=-1
code 2 mlbuild -j 4x
code 2 mlbuild -j 99999999999999999999999
code 2 mlbuild --force=yes
err_has "takes no value"
code 2 mlbuild --color sometimes
err_has 'always, auto or never'

t options and words that a command does not take
code 2 mlbuild status --force
err_has "'mlbuild status' does not take '--force'"
code 2 mlbuild why
err_has 'TARGET'
code 2 mlbuild why model raw
err_has "'raw'"
code 2 mlbuild version now
code 2 mlbuild --force
err_has 'names of targets'
code 2 mlbuild --into x model
err_has '-p'
code 2 mlbuild show --command --output model

t a mistyped command
code 2 mlbuild stauts
err_has "'mlbuild status'"
code 2 mlbuild help stauts
err_has "'status'"

t words of other tools get ours
code 2 mlbuild repro
err_has "'repro' is a word of DVC"
for word in run all dag make exec; do
	code 2 mlbuild $word
	err_has "'mlbuild"
done
code 2 mlbuild dag
err_has "'dag' is a word of DVC; here 'mlbuild graph' shows it"
code 2 mlbuild all
err_has "'all' is a word of make; here 'mlbuild' alone builds the default targets"
for word in rm remove test info get; do
	code 2 mlbuild $word
	err_has "'$word' is a word of "
done
code 2 mlbuild make
err_has "'make' is a word of other tools"

t options that begin like one, or exclude each other
code 2 mlbuild --dry
err_has "did you mean '--dry-run'?"
code 2 mlbuild -v -q
err_has "'--verbose' and '--quiet' exclude each other"

t a command wins over a target, with a note
ok mlbuild status
err_has "'mlbuild build status'"
ok mlbuild -n build status
err_hasnt note

t '-C DIR'
ok mlbuild -C "$T_DIR" ls
here=$PWD
cd / || exit 1
ok mlbuild -C "$here" ls model
out_has model.txt
ok mlbuild --directory="$here" ls
code 2 mlbuild -C /nonexistent ls
err_has /nonexistent
cd "$here" || exit 1

t no project
mkdir "$T_ROOT/empty"
code 2 mlbuild -C "$T_ROOT/empty"
err_has 'mlbuild init'
ok mlbuild -C "$T_ROOT/empty" version

t help
ok mlbuild --help
out_has 'Usage:'
ok mlbuild -h
ok mlbuild help
commands=$(sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' "$T_OUT")
eq "$commands" "$(echo "$commands" | LC_ALL=C sort)"
for c in $commands; do
	ok mlbuild "$c" --help
	out_has "mlbuild $c"
	cp "$T_OUT" "$T_ROOT/help"
	ok mlbuild help "$c"
	eq "$(cat "$T_OUT")" "$(cat "$T_ROOT/help")"
	eq "$(awk 'length > 100' "$T_OUT")" ''
	sed -n 's/^  \(-., \|    \)--\([a-z-]*\).*/\2/p' "$T_OUT" >"$T_ROOT/options"
	eq "$(cat "$T_ROOT/options")" "$(LC_ALL=C sort "$T_ROOT/options")"
done
ok mlbuild model --help
out_has 'mlbuild build'
code 2 mlbuild nonesuch --help
err_has "there is no command 'nonesuch'"
code 2 mlbuild stauts --help
err_has "did you mean 'status'?"

t stages
code 2 mlbuild stage nonesuch --some --options
err_has "'nonesuch'"
ok mlbuild stage
code 2 mlbuild stage list
err_has "'mlbuild ls'"

t a closed pipe is no error, a full disk is
(
	sleep 0.2
	"$MLBUILD" ls 2>"$T_ROOT/pipe-err"
	echo $? >"$T_ROOT/pipe-code"
) | true
eq "$(cat "$T_ROOT/pipe-code" "$T_ROOT/pipe-err")" 0
if [ -c /dev/full ]; then
	"$MLBUILD" ls >/dev/full 2>"$T_ROOT/full-err"
	eq $? 1
	ok grep -q 'standard output' "$T_ROOT/full-err"
fi

t 'no colours in files, unless asked for'
ok mlbuild --color always status
eq "$(tr -cd '\033' <"$T_OUT" | head -c 1 | wc -c)" 1
ok mlbuild --color never help
eq "$(tr -cd '\033' <"$T_ALL" | wc -c)" 0

t completion of options, commands, targets and values
ok mlbuild __complete --dr
eq "$(cut -f1 "$T_OUT")" --dry-run
ok mlbuild __complete sta
eq "$(cut -f1 "$T_OUT" | LC_ALL=C sort -u)" "$(printf 'stage\nstatus')"
ok mlbuild __complete build mod
eq "$(cut -f1 "$T_OUT" | sort -u)" model
ok mlbuild __complete -C "$T_DIR" why mod
eq "$(cut -f1 "$T_OUT" | sort -u)" model
ok mlbuild __complete --color a
eq "$(cut -f1 "$T_OUT")" "$(printf 'always\nauto')"
ok mlbuild __complete --color=n
eq "$(cut -f1 "$T_OUT")" --color=never
ok mlbuild __complete -p se
eq "$(cut -f1 "$T_OUT")" seed=
ok mlbuild __complete build -kp se
eq "$(cut -f1 "$T_OUT")" seed=
ok mlbuild __complete --trace x
eq "$(cat "$T_OUT")" :files
ok mlbuild __complete -C x
eq "$(cat "$T_OUT")" :dirs
ok mlbuild __complete help ver
eq "$(cut -f1 "$T_OUT")" version
ok mlbuild __complete completion z
eq "$(cut -f1 "$T_OUT")" zsh
ok mlbuild __complete status --exi
eq "$(cut -f1 "$T_OUT")" --exit-code
ok mlbuild __complete ls --exi
eq "$(cat "$T_OUT")" ''
ok mlbuild __complete
ok mlbuild -C "$T_ROOT/empty" __complete build x
eq "$(cat "$T_ALL")" ''

t completion scripts
for shell in bash fish zsh; do
	ok mlbuild completion $shell
	cp "$T_OUT" "$T_ROOT/completion.$shell"
	if command -v $shell >/dev/null; then
		ok $shell -n "$T_ROOT/completion.$shell"
	fi
done
code 2 mlbuild completion csh
if command -v bash >/dev/null; then
	cat >"$T_ROOT/bash" <<'X'
. "$1"
COMP_WORDBREAKS=' '
compopt() { :; }
complete_line() {
	COMP_LINE=$1 COMP_POINT=${#1} COMPREPLY=()
	_mlbuild
	echo "${COMPREPLY[*]}"
}
complete_line "$MLBUILD --dry"
complete_line "$MLBUILD build sta"
complete_line "$MLBUILD --color=n"
COMP_WORDBREAKS=' =:@'
complete_line "$MLBUILD --color=n"
complete_line "$MLBUILD build -p @ra"
complete_line "$MLBUILD help ver"
complete_line "$MLBUILD add ra"
complete_line "$MLBUILD completion "
X
	ok bash "$T_ROOT/bash" "$T_ROOT/completion.bash"
	eq "$(cat "$T_OUT")" "--dry-run
status
--color=never
never
@raw.csv
version
raw.csv
bash fish zsh"
fi

done_testing
