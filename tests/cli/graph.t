# graph as text, dot, mermaid and JSON.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

t_dir
chain

t text
ok mlbuild graph
for x in a b c d; do out_has "$x"; done

t the closure of one
ok mlbuild graph b
out_has a
out_has b
eq "$(grep -cwE 'c|d' "$T_OUT")" 0

t dot
ok mlbuild graph --format dot
out_has digraph
out_has '"a" -> "b"'
out_has '"b" -> "c"'

t mermaid
ok mlbuild graph --format mermaid
match '^(graph|flowchart)'
match '"a"'
match '^ *[a-z0-9]+ --> [a-z0-9]+'
eq "$(grep -c -e '-->' "$T_OUT")" 2

t JSON
ok mlbuild graph --format json
keep
out_has '"c"'
ok python3 -c 'import json, sys; [json.loads(line) for line in open(sys.argv[1])]' "$KEPT"

t another word is an error that names those there are
code 2 mlbuild graph --format svg
err_has mermaid

t nothing ran
did ''

done_testing
