# du: what takes the space in the cache.
. "${0%/*}/lib.sh"

t_dir
put mlbuild.ini <<'INI'
[params]
x = a
[dataset raw]
path = raw.bin
[dataset one]
run = head -c 200000 /dev/zero | tr '\0' ${params:x} > ${out}
out = one.bin
[feature two]
run = mkdir -p ${out}; cp ${one} ${out}/same; head -c 300000 /dev/zero | tr '\0' b > ${out}/own; head -c 300000 /dev/zero | tr '\0' b > ${out}/again
out = two/
[model m]
matrix.k = 1 2
run = head -c 150000 /dev/zero | tr '\0' ${matrix:k} > ${out}
out = m/${matrix:k}.bin
INI
head -c 400000 /dev/zero | tr '\0' r >raw.bin

t nothing was built
ok mlbuild du
has 'the cache takes'
ok mlbuild

# value NAME FIELD of the last du --json
value() {
	python3 -c '
import json, sys
for r in map(json.loads, open(sys.argv[1])):
    if sys.argv[2] in (r.get("target"), r["what"] + ":" + r.get("kind", "")):
        print(r[sys.argv[3]])
' "$T_OUT" "$1" "$2"
}
# about NAME FIELD BYTES: so much, and the few bytes of tree nodes, logs and action texts
about() {
	about_=$(value "$1" "$2")
	if [ "${about_:-x}" -ge "$3" ] && [ "$about_" -le $(($3 + 3000)) ]; then
		pass
	else
		fail "expected $2 of $1 to be about $3, it is $about_"
	fi
}

t each target, what is its own and what it shares
ok mlbuild du --json
about raw size 400000
about raw unique 400000
about one size 200000
about one unique 0
about one shared 200000
about two size 500000
about two unique 300000
about two shared 200000
about m size 300000
about m older 0
eq "$(value raw older)" 0

t each kind
about kind:dataset size 600000
about kind:dataset unique 400000
about kind:feature size 500000
about kind:model unique 300000

t the whole
eq "$(value unreferenced: size)" 0
total=$(value total: size)
disk=$(find .mlbuild/cache/v1/objects .mlbuild/cache/v1/packs .mlbuild/cache/v1/actions -type f -exec stat -c %s {} + | awk '{n += $1} END {print n}')
eq "$total" "$disk"

t earlier results
sed 's/x = a/x = c/' mlbuild.ini >new && mv new mlbuild.ini
ok mlbuild
ok mlbuild du --json
about one size 400000
about one older 200000
about one shared 400000
about two older 200000
about m older 0

t what nothing names
sed '/feature two/,/out = two/d' mlbuild.ini >new && mv new mlbuild.ini
ok mlbuild
rm -rf .mlbuild/cache/v1/actions
ok mlbuild du --json
about unreferenced: size 500000
about one older 0

t for people, the largest first
ok mlbuild du
eq "$(grep -E 'dataset|model' "$T_OUT" | head -n 3 | awk '{print $NF}' | tr '\n' ' ')" 'raw m one '
out_has 'all of kind dataset'
out_has '390.6 KiB'
out_has 'the cache takes'
ok mlbuild du -v
out_has '(400'

t some targets
ok mlbuild du one
out_has 'dataset one'
out_hasnt 'raw'
out_hasnt 'the cache takes'
ok mlbuild du dataset 'm*'
out_has 'dataset raw'
out_has 'model m'
code 2 mlbuild du nothing
err_has "'nothing'"
done_testing
