# Trees made to attack, in a cache that somebody else can write: refused, and made by the target itself.
. "${0%/*}/lib.sh"

here=$(cd "${0%/*}" && pwd)
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE

t trees made to attack
t_dir
ok /usr/bin/env python3 "$here/attack.py" "$MLBUILD"
cat "$T_OUT"
out_has 'attacks, 0 of them said'

done_testing
