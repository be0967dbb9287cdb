#!/usr/bin/env bash
# Fetches the libraries of another architecture that the components use: foreign_libraries.sh ARCH DIR
#
# Debian's packages for ARCH are unpacked into DIR/root, and DIR/machine.ini says so to Meson, as a second
# cross file. Nothing is installed: the system's package database stays as it is, without a foreign
# architecture, which would tie the versions of its own libraries to those of the other one.

set -eu
arch=$1
mkdir -p "$2"
dir=$(cd "$2" && pwd)
case $arch in
arm64) triple=aarch64-linux-gnu ;;
i386) triple=i386-linux-gnu ;;
*) triple=$arch-linux-gnu ;;
esac

[ ! -f "$dir/machine.ini" ] || exit 0
command -v apt-get >/dev/null

mkdir -p "$dir/lists/partial" "$dir/cache" "$dir/packages" "$dir/root"
apt()
{
	apt-get -qq -o APT::Architectures::="$arch" -o Dir::State::lists="$dir/lists" \
		-o Dir::Cache="$dir/cache" -o APT::Sandbox::User=root "$@"
}
apt update || true # without one of the indexes the others may do; the downloads tell
(cd "$dir/packages" && for name in libssl-dev libssl3 libmbedtls-dev libmbedtls14 libmbedcrypto7 \
	libmbedx509-1 zlib1g-dev zlib1g liburing-dev liburing2; do
	apt download "$name:$arch"
done)
for package in "$dir"/packages/*.deb; do
	dpkg -x "$package" "$dir/root"
done
rm -rf "$dir/lists" "$dir/cache" "$dir/packages"

# Links between packages are absolute: bring both ends together.
libraries=$dir/root/usr/lib/$triple
cp -a "$dir/root/lib/$triple"/libz.so.* "$libraries"
ln -sf libz.so.1 "$libraries/libz.so"

cat > "$dir/machine.ini" <<END
[binaries]
pkgconfig = 'pkg-config'

[properties]
pkg_config_libdir = '$libraries/pkgconfig'
sys_root = '$dir/root'

[built-in options]
c_args = ['-isystem', '$dir/root/usr/include', '-isystem', '$dir/root/usr/include/$triple']
c_link_args = ['-L$libraries', '-Wl,-rpath,$libraries', '-Wl,-rpath-link,$libraries']
END
