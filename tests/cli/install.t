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
there "$prefix/share/man/man1/mlbuild.1" "$prefix/share/man/man5/mlbuild.ini.5"
there "$prefix/share/bash-completion/completions/mlbuild"

t a program that uses the library, by pkg-config
cat "$MLBUILD_SRC/examples/embed.c" >embed.c
PKG_CONFIG_PATH=${pc%/*}
export PKG_CONFIG_PATH
# The file was written for the prefix that cmake was configured with.
flags=$(pkg-config --define-variable=prefix="$prefix" --define-variable=libdir="${lib%/*}" \
	--define-variable=includedir="$prefix/include" --cflags --libs mlbuild)
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
