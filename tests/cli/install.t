# cmake --install into a prefix: program, library, headers, pkg-config; embed.c uses them.
. "${0%/*}/lib.sh"

: "${MLBUILD_SRC:?must be the source directory}"
build=${MLBUILD%/*}
[ -f "$build/cmake_install.cmake" ] || {
	echo "# skipped: $MLBUILD is not in a build directory"
	# shellcheck disable=SC2034
	T_DONE=1
	exit 77
}
prefix=$T_ROOT/prefix
t_dir

t install
ok cmake --install "$build" --prefix "$prefix"
there "$prefix/bin/mlbuild" "$prefix/include/mlbuild.h" "$prefix/include/mlbuild/err.h"
ok "$prefix/bin/mlbuild" version
pc=$(find "$prefix" -name mlbuild.pc)
lib=$(find "$prefix" -name 'libmlbuild.so')
there "$pc" "$lib" "${lib%.so}.a"
for page in "$MLBUILD_SRC"/man/*.[0-9]; do
	there "$prefix/share/man/man${page##*.}/${page##*/}"
done
for page in "$MLBUILD_SRC"/include/mlbuild/*.h "$MLBUILD_SRC"/include/mlbuild/sys/*.h; do
	[ ! -e "$page" ] || there "$prefix/include/mlbuild/${page#"$MLBUILD_SRC"/include/mlbuild/}"
done

t completions are those that the program prints
for shell in bash:bash-completion/completions/mlbuild zsh:zsh/site-functions/_mlbuild \
	fish:fish/vendor_completions.d/mlbuild.fish; do
	ok "$prefix/bin/mlbuild" completion "${shell%%:*}"
	cp "$T_OUT" completion
	ok cmp completion "$prefix/share/${shell#*:}"
done

t a program that uses the library, by pkg-config
cat "$MLBUILD_SRC/examples/embed.c" >embed.c
PKG_CONFIG_PATH=${pc%/*}
export PKG_CONFIG_PATH
# The tree may be anywhere: the file names its places relative to its own.
ok pkg-config --cflags --libs mlbuild
flags=$(cat "$T_OUT")
eq "$(pkg-config --modversion mlbuild)" "$("$prefix/bin/mlbuild" version | head -n 1 | cut -d' ' -f2)"
sanitize=$(sed -n 's/^MLB_SANITIZE:[A-Z]*=\(..*\)/-fsanitize=\1/p' "$build/CMakeCache.txt")
# shellcheck disable=SC2086
ok cc -std=c11 -Wall -Wextra -Werror $sanitize -o embed embed.c $flags
LD_LIBRARY_PATH=${lib%/*}
export LD_LIBRARY_PATH
cp -r "$MLBUILD_SRC/examples/minimal" project
rm -rf project/build project/.mlbuild project/mlbuild.lock
ok ./embed project model
out_has 'model: built'
out_has 'report: 4 built'
out_has '"kept"'
ok ./embed project model
out_has 'report: 0 built'
code 2 ./embed project no-such-target
err_has no-such-target

t it hides what is not public
nm -D --defined-only "$lib" | awk '$2 == "T" { print $3 }' | grep -v '^mlb_' >symbols
eq "$(cat symbols)" ''

done_testing
