# [cache] link = hardlink shares outputs with the cache; sources stay files of their own.
. "${0%/*}/lib.sh"

if [ "$(id -u)" = 0 ]; then
	setpriv --version >/dev/null 2>&1 || {
		pass # root never gets hard links
		done_testing
	}
	chmod 755 "$T_ROOT" "$T_ROOT/home"
	cp "$MLBUILD" "$T_ROOT/program" && chmod 755 "$T_ROOT/program"
	user() { setpriv --reuid=65534 --regid=65534 --clear-groups "$T_ROOT/program" "$@"; }
	own() { chmod -R a+rwX "${T_DIR:?}" && chown -R 65534:65534 "${T_DIR:?}"; }
else
	user() { "$MLBUILD" "$@"; }
	own() { :; }
fi

t a build that restores a source makes a file that the user may write to
t_dir
yes source | head -c 3000000 >raw.bin
mkdir dd
yes below | head -c 3000000 >dd/x
put mlbuild.ini <<'X'
[cache]
link = hardlink
[dataset raw]
path = raw.bin
[dataset dd]
path = dd
[feature f]
run = cat ${raw} ${dd}/x >${out}
out = f.bin
[feature g]
run = wc -c <${f} >${out}
out = g.txt
X
own
ok user
rm -r raw.bin dd f.bin
echo >>mlbuild.ini
ok user
for file in raw.bin dd/x; do
	eq "$(stat -c '%h %A' $file | cut -c 1-5)" '1 -rw'
done
eq "$(stat -c %h f.bin)" 2

t modes: what is shared is read-only, what is executable or small is a file of its own
t_dir
put mlbuild.ini <<'X'
[cache]
link = hardlink
[feature big]
run = yes big | head -c 3000000 >${out}
out = big.bin
[feature tool]
run = { echo '#!/bin/sh'; yes '# big' | head -c 3000000; } >${out}; chmod 755 ${out}
out = tool.sh
[feature small]
run = echo small >${out}; chmod 600 ${out}
out = small.txt
[feature dir]
run = cp ${big} ${out}/b; cp ${tool} ${out}/t; cp ${small} ${out}/s
out = dir/
X
own
umask 022
ok user build
rm -r big.bin tool.sh small.txt dir
ok user build
eq "$(stat -c '%h %a' big.bin)" "$(stat -c '%h %a' dir/b)"
eq "$(stat -c %a big.bin)" 444
[ "$(stat -c %h big.bin)" -ge 2 ] && pass || fail "big.bin is not shared"
for file in tool.sh dir/t; do eq "$(stat -c '%h %a' $file)" '1 755'; done
for file in small.txt dir/s; do eq "$(stat -c '%h %a' $file)" '1 644'; done

t a command that writes over what is shared cannot: the cache stays right
ok user fsck
ok user -f big
ok user fsck

done_testing
