#!/usr/bin/env bash
# Builds for another machine and runs its suites in an emulator: cross.sh TARGET BUILD-DIR
# Prints a line "not run: ..." for each part that it leaves out.
# Exit: 0 passed, 77 the compiler or the emulator cannot be had here, else failed.

set -u
. "$(dirname "$0")/common.sh"

target=$1 dir=$2

not_run() { say "not run: $*"; }

# What each target needs of Debian, what shows that it is there, and Debian's name of the architecture
# if libraries for it are fetched as well.
foreign=""
case $target in
aarch64-linux-gnu)
	packages="gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user" foreign=arm64
	commands="aarch64-linux-gnu-gcc qemu-aarch64" ;;
s390x-linux-gnu)
	packages="gcc-s390x-linux-gnu libc6-dev-s390x-cross qemu-user" foreign=s390x
	commands="s390x-linux-gnu-gcc qemu-s390x" ;;
i686-linux-gnu)
	packages="gcc-i686-linux-gnu libc6-dev-i386-cross" foreign=i386
	commands="i686-linux-gnu-gcc" ;;
musl)
	packages="musl-tools"
	commands="musl-gcc" ;;
x86_64-w64-mingw32)
	packages="gcc-mingw-w64-x86-64 wine wine64"
	commands="x86_64-w64-mingw32-gcc wine" ;;
*)
	say "unknown target $target; there are: $(cd "$root/cross" && ls | sed 's/\.ini$//' | tr '\n' ' ')"
	exit 2 ;;
esac

# shellcheck disable=SC2086
[ "${INSTALL:-yes}" = no ] || install_packages $packages
for command in $commands; do
	command -v "$command" >/dev/null || { say "$target: $command is not installed"; exit 77; }
done

# musl's packages have no other libraries; what the others have is fetched.
options="-Dharness=mini -Dwerror=true"
machine="--cross-file $root/cross/$target.ini"
case $target in
x86_64-w64-mingw32)
	options="$options -Dopenssl=disabled -Dmbedtls=disabled -Dbench=disabled -Dexamples=disabled"
	not_run "TLS: Debian has no TLS library for mingw-w64"
	not_run "fuzz targets, benchmarks, examples: written to POSIX" ;;
musl)
	options="$options -Dopenssl=disabled -Dmbedtls=disabled -Dextra=disabled -Dcompat=disabled
		-Dbench=disabled"
	not_run "all but the reactor, the buffers and locks: musl-tools brings no OpenSSL, Mbed TLS or zlib" ;;
*)
	if "$root/tools/lib/foreign_libraries.sh" $foreign "$dir-libraries"; then
		machine="$machine --cross-file $dir-libraries/machine.ini"
	else
		not_run "TLS: the packages of OpenSSL and Mbed TLS for $foreign cannot be had here"
		options="$options -Dopenssl=disabled -Dmbedtls=disabled"
	fi ;;
esac

# shellcheck disable=SC2086
[ -f "$dir/build.ninja" ] || meson setup "$dir" "$root" $machine $options || exit 1
ninja -C "$dir" -j "$jobs" || exit 1

# A Windows of its own, made before several programs want it at once. Meson tells wine where the DLLs are.
# Its server runs first: one that a test starts has that test's output, for the end of which Meson waits.
start_wine()
{
	export WINEPREFIX=$dir/wine WINEDEBUG=-all WINEDLLOVERRIDES="mscoree,mshtml="
	mkdir -p "$WINEPREFIX"
	{ wineserver -p && wine wineboot --init; } >"$dir/wine.log" 2>&1 ||
		{ say "$target: wine does not start: $dir/wine.log"; exit 77; }
	trap 'wineserver -k' EXIT # of this prefix only
}

# LOG-NAME [SELECTION...]: ten times the time, for the emulator and for a machine that is busy with it.
suites()
{
	local name=$1
	shift
	# shellcheck disable=SC2086
	TEST_TIME_FACTOR=10 meson test -C "$dir" --no-rebuild --num-processes "$jobs" --print-errorlogs \
		--timeout-multiplier 10 --logbase "testlog-$name" "$@" ${SUITES:-} || result=1
}

say "running the suites for $target"
rm -f "$dir"/meson-logs/testlog*
result=0
case $commands in
*qemu*)
	# An emulator is 10 to 50 times slower: all suites once, and on the other backends the reactor's.
	export TEST_UNDER_QEMU=1
	areas=
	for area in buffer tls http ws dns rpc; do
		areas="$areas --no-suite $area"
	done
	not_run "on poll and select, all suites but the reactor's: for the sake of time"
	not_run "io_uring: qemu-user does not have it"
	suites all --no-suite poll --no-suite select
	# shellcheck disable=SC2086
	suites backends --suite poll --suite select $areas ;;
*wine*)
	start_wine
	suites all ;;
*)
	suites all ;;
esac
read -r good bad skipped < <(python3 "$root/tools/lib/count_tests.py" "$dir"/meson-logs/testlog*.json)
say "$target: $good passed of $((good + bad)), $skipped skipped"
exit $result
