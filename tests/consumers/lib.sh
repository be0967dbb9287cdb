# Shared by the consumer tests: a scratch folder, how a program is run, what it links. Sourced.

set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
: "${PREFIX:?the installed prefix to consume}"
libdir=$PREFIX/lib
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export PKG_CONFIG_PATH=$libdir/pkgconfig CMAKE_PREFIX_PATH=$PREFIX LD_LIBRARY_PATH=$libdir
cd "$scratch"

# runs PROGRAM: it works on the installed libraries
runs()
{
	[ "$("$1")" = fired ] || { echo "$1 does not work"; exit 1; }
}

# links PROGRAM NAME...: exactly these of our libraries are in NEEDED
links()
{
	local program=$1 got want
	shift
	got=$(objdump -p "$program" | awk '/NEEDED +libevent/ { print $2 }' | sed 's/\.so.*//' |
		sort | tr '\n' ' ')
	want=$(for name in "$@"; do echo "libevent_$name"; done | sort | tr '\n' ' ')
	[ "$got" = "$want" ] || { echo "$program needs: $got; expected: $want"; exit 1; }
}

has() { [ -e "$libdir/libevent_$1.so" ]; }
