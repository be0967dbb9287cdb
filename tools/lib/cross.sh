#!/usr/bin/env bash
# Builds for another machine and runs its suites in an emulator: cross.sh TARGET BUILD-DIR
# Exit: 0 passed, 77 the compiler or the emulator cannot be had here, else failed.

set -u
. "$(dirname "$0")/common.sh"

target=$1 dir=$2

# What each target needs of Debian, what shows that it is there, and which suites it runs.
case $target in
aarch64-linux-gnu)
	packages="gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user"
	commands="aarch64-linux-gnu-gcc qemu-aarch64" ;;
s390x-linux-gnu)
	packages="gcc-s390x-linux-gnu libc6-dev-s390x-cross qemu-user"
	commands="s390x-linux-gnu-gcc qemu-s390x" ;;
i686-linux-gnu)
	packages="gcc-i686-linux-gnu libc6-dev-i386-cross qemu-user"
	commands="i686-linux-gnu-gcc qemu-i386" ;;
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

options="-Dharness=mini -Dwerror=true -Dopenssl=disabled -Dmbedtls=disabled -Dcompat=disabled
	-Dbench=disabled -Dexamples=disabled"
[ $target != x86_64-w64-mingw32 ] || options="$options -Dextra=disabled -Dpthreads=disabled"
# shellcheck disable=SC2086
[ -f "$dir/build.ninja" ] ||
	meson setup "$dir" "$root" --cross-file "$root/cross/$target.ini" $options || exit 1
ninja -C "$dir" -j "$jobs" || exit 1
say "running the suites for $target"
meson test -C "$dir" --no-rebuild --num-processes "$jobs" --print-errorlogs --timeout-multiplier 10
