# The man pages and --help say the same, both ways.
. "${0%/*}/lib.sh"

: "${MLBUILD_SRC:=$(cd "${0%/*}/../.." && pwd)}"
man=$MLBUILD_SRC/man
t_dir

# "LETTER LONG ARGUMENT" for each option, "-" for what it has not.
help_options() {
	# shellcheck disable=SC2086
	"$MLBUILD" help $1 | awk '/^  (-.,|   ) --/ {
		letter = substr($0, 3, 1) == "-" ? substr($0, 4, 1) : "-"
		rest = substr($0, 9)
		long = rest
		sub(/ .*/, "", long)
		rest = substr(rest, length(long) + 1)
		arg = "-"
		if (rest ~ /^ [^ ]/) {
			arg = substr(rest, 2)
			sub(/ .*/, "", arg)
		}
		print letter, long, arg
	}' | sort
}

page_options() {
	awk '$1 == ".It" && $2 == "Fl" {
		letter = "-"; long = "-"; arg = "-"
		for (i = 2; i <= NF; i++) {
			if ($i == "Fl" && substr($(i + 1), 1, 1) == "-")
				long = substr($(i + 1), 2)
			else if ($i == "Fl")
				letter = $(i + 1)
			else if ($i == "Ar")
				arg = $(i + 1)
		}
		print letter, long, arg
	}' "$1" | sort
}

commands=$("$MLBUILD" help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')

t every command has a page, and every page a command
eq "$(for c in $commands; do echo "mlbuild-$c.1"; done)" "$(cd "$man" && ls mlbuild-*.1)"
eq "$(for c in $commands; do echo ".It Cm $c"; done)" \
	"$(sed -n '/^\.Ss Commands/,/^\.El/s/^\(\.It Cm .*\)/\1/p' "$man/mlbuild.1")"

for c in $commands; do
	t "options of $c"
	eq "$(page_options "$man/mlbuild-$c.1")" "$(help_options "$c")"
	for section in NAME SYNOPSIS DESCRIPTION 'EXIT STATUS' EXAMPLES 'SEE ALSO'; do
		ok grep -qx "\.Sh $section" "$man/mlbuild-$c.1"
	done
	ok grep -q "\.Xr mlbuild-$c 1" "$man/mlbuild.1"
done

t options of every command
eq "$(page_options "$man/mlbuild.1")" "$(help_options '')"

t the test itself notices options
eq "$(help_options build | grep -c .)" 14
eq "$(page_options "$man/mlbuild-build.1" | head -n 1)" '- downstream -'

done_testing
