#!/bin/sh
cd "${MLBUILD_SRC:-$(dirname "$0")/../..}" || exit 1
command -v codespell >/dev/null || {
	echo "codespell is not installed"
	exit 77
}
# Words of programs and formats that look like misspelt English; mistyped ones in tests of hints.
words=ans,ba,crate,hasnt,tread,upto,fo,ist,hist,inout,nd,te,ue,modle,mdel,modell,nodel,featrues,rnu,traine,trainig,tran
words=$words,doas,timout,databse,trian,nin
set --
for path in src stages remotes include examples man tests README.md mlbuild.ini.example \
	CMakeLists.txt CMakePresets.json; do
	[ -e "$path" ] && set -- "$@" "$path"
done
# Data is not prose: it is as it was found.
codespell --ignore-words-list="$words" --skip='*.csv,*.tsv,*.jsonl,*.parquet,*.npy,*.gz,*/corpus/*,*/data/*' "$@"
