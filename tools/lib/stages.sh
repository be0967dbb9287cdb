# The stages of tools/test. Each prints nothing while it works; `stage` shows one line for it, and the
# end of its log when something failed. A stage adds what it counted to `passed` and `failed`.

out=${BUILD:-$root/build/test}
prefix=$out/prefix
passed=0 failed=0
skipped_list=$out/skipped
mkdir -p "$out"
: > "$skipped_list"

# stage TITLE FUNCTION [ARG...]
stage()
{
	local title=$1 log start=$SECONDS before=$passed broken=$failed
	shift
	log=$out/$(printf '%s' "$title" | tr -c 'a-z0-9\n' '-').log
	printf '%-22s ' "$title"
	"$@" > "$log" 2>&1 || count_failure "$title"
	printf '%5d passed %3d failed  %4d s\n' \
		$((passed - before)) $((failed - broken)) $((SECONDS - start))
	[ "$failed" -eq "$broken" ] || {
		show_failures "$log" | head -40 | sed 's/^/    /'
		say "    whole log: $log"
	}
}

# What tests said when they failed, if it is tests that did; else whatever looks like an error.
show_failures()
{
	grep -a '^ *FAIL ' "$1" || grep -aE '(^|[^a-z])(FAIL|not ok|error:|ERROR)' "$1"
}

# A stage that ended badly without having counted a failure itself.
count_failure()
{
	[ "$failed" -gt "${broken:-0}" ] || failed=$((failed + 1))
}

note_skip() { printf '%s\n' "$*" >> "$skipped_list"; }

report_skipped()
{
	[ ! -s "$skipped_list" ] || { say "skipped:"; sort -u "$skipped_list" | sed 's/^/  /'; }
}

configure()
{
	local dir=$1
	shift
	if [ -f "$dir/build.ninja" ]; then
		meson configure "$dir" "$@"
	else
		meson setup "$dir" "$root" "$@"
	fi
}

build_all()
{
	local docs=enabled

	command -v doxygen >/dev/null || { docs=disabled; note_skip "docs: doxygen is not installed"; }
	configure "$out/native" -Dwerror=true -Dprefix="$prefix" -Dlibdir=lib -Ddocs=$docs &&
		ninja -C "$out/native" -j "$jobs" && passed=$((passed + 1))
}

# Counts single tests, not executables: each runner ends with a line that says how many.
run_suites()
{
	local dir=$1 status
	shift
	meson test -C "$dir" --no-rebuild --num-processes "$jobs" --print-errorlogs "$@"
	status=$?
	count_log "$dir"/meson-logs/testlog*.json
	return $status
}

count_log()
{
	local counts logs

	logs=$*
	counts=$(python3 "$root/tools/lib/count_tests.py" "$@") || return 1
	# shellcheck disable=SC2086
	set -- $counts
	passed=$((passed + $1)) failed=$((failed + $2))
	# shellcheck disable=SC2086
	[ "$2" -eq 0 ] || python3 "$root/tools/lib/count_tests.py" --failed $logs
	[ "$3" -eq 0 ] || python3 "$root/tools/lib/count_tests.py" --skipped $logs >> "$skipped_list"
}

check_specification()
{
	tests/spec-coverage --strict && passed=$((passed + 1))
}

install_all()
{
	rm -rf "$prefix"
	meson install -C "$out/native" --no-rebuild --quiet && passed=$((passed + 1))
}

check_interface()
{
	PREFIX=$prefix run_folder tests/abi
}

# Each fuzz target under libFuzzer for a fixed number of inputs, the same ones each time.
fuzz_targets()
{
	local target name bad=0

	command -v clang >/dev/null || { note_skip "fuzz targets: clang is not installed"; return 0; }
	CC=clang CXX=clang++ CFLAGS=-fsanitize=fuzzer-no-link configure "$out/fuzz" -Dfuzz=enabled \
		-Dharness=mini -Ddefault_library=static -Db_sanitize=address,undefined \
		-Db_lundef=false -Dbuildtype=debugoptimized -Dopenssl=disabled -Dmbedtls=disabled \
		-Dcompat=disabled -Dbench=disabled -Dexamples=disabled || return 1
	# shellcheck disable=SC2046
	ninja -C "$out/fuzz" -j "$jobs" $(fuzz_programs) || return 1
	for target in $(fuzz_programs); do
		name=${target##*/fuzz_}
		mkdir -p "$out/fuzz/found/$name"
		if timeout 300 "$out/fuzz/$target" -seed=1 -runs="$(fuzz_runs "$name")" -max_len=1024 \
			-artifact_prefix="$out/fuzz/found/" "$out/fuzz/found/$name" \
			"$root/tests/fuzz/corpus/$name" 2>&1 | tail -n 20; test "${PIPESTATUS[0]}" -eq 0; then
			passed=$((passed + 1))
		else
			say "FAIL fuzz target $name"
			failed=$((failed + 1)) bad=1
		fi
	done
	return $bad
}

fuzz_programs()
{
	ninja -C "$out/fuzz" -t targets all | sed -n 's,^\(tests/fuzz/fuzz_[a-z_]*\):.*,\1,p'
}

# Those that go through sockets are about ten times slower.
fuzz_runs()
{
	case $1 in
	http_*|ws) echo 4000 ;;
	*) echo 40000 ;;
	esac
}

# Every executable run_* of a folder is a test: exit 0 passed, 77 skipped (says why), else failed.
run_folder()
{
	local test name status bad=0

	for test in "$root/$1"/run_*; do
		[ -x "$test" ] || continue
		name=${test#"$root"/}
		say "== $name"
		PREFIX=$prefix BUILD=$out/native timeout 900 "$test" 2>&1 | tee "$out/last" | sed 's/^/   /'
		status=${PIPESTATUS[0]}
		case $status in
		0) say "ok $name"; passed=$((passed + 1)) ;;
		77) note_skip "$name: $(tail -n 1 "$out/last")" ;;
		*) say "FAIL $name (exit $status)"; failed=$((failed + 1)); bad=1 ;;
		esac
	done
	return $bad
}

# Every component as a project of its own, by two compilers, shared and static.
build_components()
{
	local compiler kind bad=0

	for compiler in gcc clang; do
		command -v $compiler >/dev/null || { note_skip "components with $compiler: not installed"; continue; }
		for kind in shared static; do
			build_components_with $compiler $kind || bad=1
		done
	done
	return $bad
}

build_components_with()
{
	local compiler=$1 kind=$2 component dir bad=0

	for component in core/reactor core/buffer pthreads openssl mbedtls extra; do
		dir=$out/alone/$compiler-$kind/$component
		rm -rf "$dir"
		if CC=$compiler PKG_CONFIG_PATH=$prefix/lib/pkgconfig meson setup "$dir" "$root/$component" \
			-Dwerror=true -Ddefault_library=$kind && ninja -C "$dir" -j "$jobs"; then
			passed=$((passed + 1))
		else
			say "FAIL $component with $compiler, $kind"
			failed=$((failed + 1)) bad=1
		fi
	done
	return $bad
}

# delayed_suites PER_MILLE MOST_MS SEED: see tests/delays/delays.c. They mostly wait, so many run at once.
delayed_suites()
{
	local dir=$out/delays

	configure "$dir" -Dharness=mini && ninja -C "$dir" -j "$jobs" &&
		DELAYS_PER_MILLE=$1 DELAYS_MOST_MS=$2 DELAYS_SEED=$3 jobs=$((jobs * 8)) \
			run_suites "$dir" --setup delays
}

sanitized_suites()
{
	local dir=$out/$(printf '%s' "$1" | tr -d ,)

	configure "$dir" -Db_sanitize="$1" -Db_lundef=false -Dharness=mini &&
		ninja -C "$dir" -j "$jobs" &&
		TEST_TIME_FACTOR=5 \
		ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1 \
		UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
		TSAN_OPTIONS=halt_on_error=1:suppressions=$root/tests/harness/tsan.supp \
			run_suites "$dir" --timeout-multiplier 5
}

# On epoll, for the sake of time; the other sanitizers run on every backend. (And not on io_uring, because
# valgrind holds signals back for as long as a thread is in its system call.)
valgrind_suites()
{
	local dir=$out/valgrind backend other_backends=

	for backend in poll select select-limited io_uring kqueue kqueue-old evport devpoll; do
		other_backends="$other_backends --no-suite $backend"
	done
	# shellcheck disable=SC2086
	configure "$dir" -Dharness=mini &&
		ninja -C "$dir" -j "$jobs" &&
		TEST_TIME_FACTOR=20 TEST_UNDER_VALGRIND=1 \
			run_suites "$dir" --timeout-multiplier 20 --no-suite threads $other_backends \
			--wrap "valgrind -q --error-exitcode=99 --child-silent-after-fork=no \
				--trace-children=yes --trace-children-skip=*python*,*/sh \
				--suppressions=$root/tests/harness/valgrind.supp"
}

# What was left out is said by the script, and by the tests themselves.
cross_suites()
{
	local said=$out/cross-$1.said status

	"$root/tools/lib/cross.sh" "$1" "$out/cross-$1" 2>&1 | tee "$said"
	status=${PIPESTATUS[0]}
	sed -n "s/^not run: /$1: /p" "$said" >> "$skipped_list"
	if [ "$status" -eq 77 ]; then
		note_skip "$1: its compiler or emulator cannot be installed here"
		return 0
	fi
	count_log "$out/cross-$1"/meson-logs/testlog*.json || return 1
	return "$status"
}
