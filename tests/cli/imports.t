# A .py input brings the project files that it imports, transitively.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE

t_dir
put src/train.py <<'PY'
import os, sys
import helper
from pkg import part as p, other
from pkg.deep import (
    thing,
    more,
)
open(os.environ["RAN"], "a").write("train\n")
open(sys.argv[1], "w").write(helper.X + p.X + thing + other.X + "\n")
PY
put src/helper.py <<'PY'
import second
X = second.X
PY
put src/second.py <<'PY'
X = "s"
PY
put src/pkg/__init__.py <<'PY'
PY
put src/pkg/part.py <<'PY'
from . import sibling
X = sibling.X
PY
put src/pkg/sibling.py <<'PY'
X = "b"
PY
put src/pkg/other.py <<'PY'
X = "o"
PY
put src/pkg/deep/__init__.py <<'PY'
from .inner import thing
more = 1
PY
put src/pkg/deep/inner.py <<'PY'
thing = "t"
PY
put src/unused.py <<'PY'
X = 1
PY
put mlbuild.ini <<'PY'
[model m]
run = python3 src/train.py ${out}
out = m.txt
PY

t every imported module, and no other
ok mlbuild
did 'train'
eq "$(cat m.txt)" sbto
ok mlbuild
did ''
for f in helper second pkg/__init__ pkg/part pkg/sibling pkg/other pkg/deep/__init__ pkg/deep/inner train; do
	echo "# $f" >>src/$f.py
	ok mlbuild
	did 'train'
done
echo '# unused' >>src/unused.py
ok mlbuild
did ''

t why says who imported what
ok mlbuild why m
echo '# again' >>src/second.py
ok mlbuild why m
has src/second.py
has src/helper.py

t a new import
put src/extra.py <<'PY'
X = 1
PY
echo 'import extra' >>src/helper.py
ok mlbuild
did 'train'
echo '# more' >>src/extra.py
ok mlbuild
did 'train'

t a module that appears later
echo 'try:
    import later
except ImportError:
    pass' >>src/helper.py
ok mlbuild
did 'train'
put src/later.py <<'PY'
X = 1
PY
ok mlbuild
did 'train'

t -m package.module
t_dir
: >"$RAN"
put pkg/__init__.py <<'PY'
PY
put pkg/main.py <<'PY'
import os
import sys
from pkg.util import X
from .rel import Y
open(os.environ["RAN"], "a").write("main\n")
open(sys.argv[1], "w").write(X + Y)
PY
put pkg/util.py <<'PY'
X = "1"
PY
put pkg/rel.py <<'PY'
Y = "2"
PY
put mlbuild.ini <<'PY'
[model m]
run = python3 -m pkg.main ${out}
out = m.txt
PY
ok mlbuild
did 'main'
for f in main util rel __init__; do
	echo '# x' >>pkg/$f.py
	ok mlbuild
	did 'main'
done

t a package with __main__
put pkg/__main__.py <<'PY'
import pkg.main
PY
change mlbuild.ini 'pkg.main' 'pkg'
ok mlbuild
did 'main'
echo '# x' >>pkg/__main__.py
ok mlbuild
did 'main'

t modules that import each other
t_dir
: >"$RAN"
put a.py <<'PY'
import os
import sys
import b
open(os.environ["RAN"], "a").write("a\n")
open(sys.argv[1], "w").write("1")
PY
put b.py <<'PY'
import c
PY
put c.py <<'PY'
import b
PY
put mlbuild.ini <<'PY'
[model m]
run = python3 a.py ${out}
out = m.txt
PY
ok timeout 20 "$MLBUILD"
did 'a'
echo '# x' >>c.py
ok mlbuild
did 'a'

t words in comments and strings are no imports
put d.py <<'PY'
X = 1
PY
printf '# import d\ntext = """\nimport d\n"""\n' >>b.py
ok mlbuild
did 'a'
echo '# x' >>d.py
ok mlbuild
: >"$RAN"
ok mlbuild
did ''

done_testing
