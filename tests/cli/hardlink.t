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

done_testing
