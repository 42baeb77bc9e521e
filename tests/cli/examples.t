# The examples of the source tree build, and a second build does nothing.
. "${0%/*}/lib.sh"

: "${MLBUILD_SRC:?must be the source directory}"
PATH=/usr/bin:$PATH
export PATH

t minimal
t_dir
cp -r "$MLBUILD_SRC/examples/minimal/." .
rm -rf .mlbuild mlbuild.lock build
ok mlbuild
eq "$(grep -c . build/model.tsv)" 9
eq "$(sed -n 's/^the\t//p' build/model.tsv)" 5
has kept
ok mlbuild
eq "$(wc -l <"$T_ALL")" 1
echo 'tyger tyger' >>poem.txt
ok mlbuild
eq "$(sed -n 's/^tyger\t//p' build/model.tsv)" 4

t digits
if ! python3 -c 'import sklearn' 2>/dev/null; then
	echo "# skipped: no scikit-learn"
	done_testing
fi
t_dir
cp -r "$MLBUILD_SRC/examples/digits/." .
rm -rf .mlbuild mlbuild.lock data models reports metrics deployed
ok mlbuild model
has cv_accuracy
there models/model.pkl reports/confusion.svg metrics/evaluation.json
ok grep -q '</svg>' reports/confusion.svg
ok python3 -c '
import json
assert json.load(open("metrics/evaluation.json"))["accuracy"] > 0.97
'
sum=$(sha256sum models/model.pkl reports/confusion.svg)
ok mlbuild model
eq "$(wc -l <"$T_ALL")" 1

t the gate refuses a bad model
code 3 mlbuild -p model.gamma=50 model
eq "$(sha256sum models/model.pkl reports/confusion.svg)" "$sum"

t the same bytes again
rm -rf .mlbuild
ok mlbuild -f model
eq "$(sha256sum models/model.pkl reports/confusion.svg)" "$sum"

t the deployment
ok mlbuild deploy
ok cmp models/model.pkl deployed/model.pkl

done_testing
