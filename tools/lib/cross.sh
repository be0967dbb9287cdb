#!/usr/bin/env bash
# Builds for another machine and runs its suites in an emulator: cross.sh TARGET BUILD-DIR
# Exit: 0 passed, 77 the compiler or the emulator cannot be had here, else failed.

set -u
. "$(dirname "$0")/common.sh"

target=$1 dir=$2

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
	packages="gcc-mingw-w64-x86-64 wine64"
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
	# Debian has no TLS library for it; the benchmarks and examples are written to POSIX.
	options="$options -Dopenssl=disabled -Dmbedtls=disabled -Dbench=disabled -Dexamples=disabled" ;;
musl)
	options="$options -Dopenssl=disabled -Dmbedtls=disabled -Dextra=disabled -Dcompat=disabled
		-Dbench=disabled" ;;
*)
	if "$root/tools/lib/foreign_libraries.sh" $foreign "$dir-libraries"; then
		machine="$machine --cross-file $dir-libraries/machine.ini"
	else
		say "$target: without OpenSSL and Mbed TLS, whose packages for $foreign cannot be had here"
		options="$options -Dopenssl=disabled -Dmbedtls=disabled"
	fi ;;
esac

# shellcheck disable=SC2086
[ -f "$dir/build.ninja" ] || meson setup "$dir" "$root" $machine $options || exit 1
ninja -C "$dir" -j "$jobs" || exit 1

# A Windows of its own, made before several programs want it at once. Meson tells wine where the DLLs are.
start_wine()
{
	export WINEPREFIX=$dir/wine WINEDEBUG=-all WINEDLLOVERRIDES="mscoree,mshtml="
	[ -d "$WINEPREFIX/drive_c" ] || wine wineboot --init >"$dir/wine.log" 2>&1 ||
		{ say "$target: wine does not start: $dir/wine.log"; exit 77; }
	trap 'wineserver -k' EXIT # of this prefix only
}

say "running the suites for $target"
case $commands in
*qemu*) export TEST_UNDER_QEMU=1 ;;
*wine*) start_wine ;;
esac
TEST_TIME_FACTOR=10 meson test -C "$dir" --no-rebuild --num-processes "$jobs" --print-errorlogs \
	--timeout-multiplier 10 ${SUITES:-}
result=$?
read -r good bad skipped < <(python3 "$root/tools/lib/count_tests.py" "$dir"/meson-logs/testlog*.json)
say "$target: $good passed of $((good + bad)), $skipped skipped"
exit $result
