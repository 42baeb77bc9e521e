# --json prints one JSON object per line on stdout, and nothing else.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

lines_are_json() {
	ok python3 -c '
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
assert rows and all(isinstance(r, dict) for r in rows), rows
' "$T_ROOT/json"
}

t_dir
chain
for words in '' '-n c' 'status -v' 'ls' 'show c' 'log' 'params' 'why c' 'version'; do
	t "mlbuild --json $words"
	# shellcheck disable=SC2086
	ok mlbuild --json $words
	cp "$T_OUT" "$T_ROOT/json"
	lines_are_json
done

t a failure
change mlbuild.ini 'cp other.txt' 'echo words; exit 3; cp other.txt'
code 1 mlbuild --json
cp "$T_OUT" "$T_ROOT/json"
out_has '"d"'
lines_are_json

t an error of the ini
echo '[modle]' >>mlbuild.ini
code 2 mlbuild --json

done_testing
