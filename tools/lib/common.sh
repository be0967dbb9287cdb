# Shared by the programs in tools/: where things are, what must be installed, how progress looks.
# Sourced, not run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
jobs=$(nproc 2>/dev/null || echo 2)
started=$SECONDS

say() { printf '%s\n' "$*"; }

# Debian's names. build: to compile; peers: real programs the tests and the demo run.
build_packages="gcc g++ meson ninja-build pkg-config python3 libssl-dev libmbedtls-dev zlib1g-dev
	liburing-dev"
test_packages="libcriterion-dev libc-ares-dev clang libclang-rt-14-dev cmake valgrind binutils openssl
	doxygen"
peer_packages="memcached libmemcached-tools tmux redsocks sslsplit transmission-daemon tor fstrm-bin
	litecoind coturn curl nginx-light apache2-utils wrk gnutls-bin nodejs chromium
	bind9-dnsutils dnsperf dnsmasq-base unbound nsd
	libevent-2.1-7 libevent-core-2.1-7 libevent-extra-2.1-7 libevent-pthreads-2.1-7
	libevent-openssl-2.1-7"

# install_packages NAME...: installs those that are missing, or says what is needed.
install_packages()
{
	local missing="" name sudo=""

	if ! command -v dpkg-query >/dev/null 2>&1; then
		check_commands
		return
	fi
	for name in "$@"; do
		dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'ok installed' ||
			missing="$missing $name"
	done
	[ -n "$missing" ] || return 0
	[ "$(id -u)" = 0 ] || sudo=sudo
	say "installing:$missing"
	$sudo apt-get update -qq >/dev/null 2>&1
	# One package that a release lacks must not keep the others away.
	# shellcheck disable=SC2086
	DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $missing \
		>/dev/null 2>&1 ||
		for name in $missing; do
			DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq \
				--no-install-recommends "$name" >/dev/null 2>&1 ||
				say "  not available here: $name"
		done
	check_commands
}

check_commands()
{
	local name missing=""

	for name in cc meson ninja pkg-config python3; do
		command -v "$name" >/dev/null 2>&1 || missing="$missing $name"
	done
	[ -z "$missing" ] || {
		say "needed and not found:$missing"
		say "install them with your system's package manager, and the development files of"
		say "OpenSSL, zlib and Criterion; then run this again."
		exit 2
	}
}
