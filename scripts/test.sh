#!/usr/bin/env bash
# Installs what the tests need and runs all of them.
#
#   scripts/test.sh         everything below, but quick
#   scripts/test.sh lint    gofmt, go vet, golangci-lint, actionlint, module files
#   scripts/test.sh unit    unit tests and fuzz seeds, with the race detector
#   scripts/test.sh e2e     the real binary with official clients; the benchmark rig
#   scripts/test.sh quick   gofmt, go vet and unit tests without the race detector
#
# It needs Go and git; a C compiler for the race detector; Node.js with npm and Python 3
# with pip for e2e. What it installs lands in folders that git ignores. It stops at the
# first stage that fails, and says which one that was.
set -euo pipefail
CDPATH='' cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
root=$PWD

what=${1:-all}
case $what in
	all | lint | unit | e2e | quick) ;;
	*)
		echo 'usage: scripts/test.sh [lint|unit|e2e|quick]' >&2
		exit 2
		;;
esac

# Neither a workspace file around this folder nor a clone that belongs to another user may
# decide what is built.
export GOWORK=off
GOFLAGS="$(go env GOFLAGS) -buildvcs=false"
export GOFLAGS

# stage runs a command under a name and tells how long it took.
stage() {
	current=$1
	printf -- '-- %s\n' "$current"
	local began=$SECONDS
	"${@:2}"
	printf '   ok, %ds\n' $((SECONDS - began))
}

current='start'
finish() {
	local status=$?
	if ((status != 0)); then
		printf '\nFAILED: %s\n' "$current"
	fi
}
trap finish EXIT

# ours is find without the folders whose content is not ours.
ours() {
	find . \( -name .git -o -name node_modules -o -name .venv -o -name testdata \) -prune -o "$@" -print
}

# modules prints the folders of the Go modules: of the product, of the tests, or of all.
modules() {
	local tests='^[.]/(bench|e2e)(/|$)' tools='^[.]/tools/'
	ours -name go.mod | sed 's|/go[.]mod$||' | sort | case $1 in
		product) grep -Ev "$tests|$tools" ;;
		tests) grep -E "$tests" || true ;;
		all) grep -Ev "$tools" ;;
	esac
}

# each runs a command in the folder of every module of a kind.
each() {
	local dir
	for dir in $(modules "$1"); do
		(cd "$dir" && "${@:2}")
	done
}

# tool runs a tool in the version that its module file names.
tool() {
	go tool -modfile="$root/tools/$1/go.mod" "$@"
}

check_format() {
	local unformatted
	unformatted=$(ours -name '*.go' | xargs "$(go env GOROOT)/bin/gofmt" -l)
	if [[ -n $unformatted ]]; then
		printf 'run gofmt -w on:\n%s\n' "$unformatted"
		return 1
	fi
}

check_code() {
	echo '   (on a new machine it is compiled first, which takes minutes)'
	each all tool golangci-lint run
}

check_workflows() {
	# What else is installed must not change the result.
	tool actionlint -shellcheck= -pyflakes=
}

check_modules() {
	each all go mod tidy -diff
	each all go mod verify
}

test_with_race_detector() {
	local cc
	read -r cc _ <<<"$(go env CC)"
	if ! command -v "$cc" >/dev/null; then
		echo "The race detector needs a C compiler, and there is no $cc."
		echo "Install one, name yours in CC, or run scripts/test.sh quick."
		return 1
	fi
	CGO_ENABLED=1 each product go test -race -shuffle=on -timeout=10m ./...
}

npm_install() (
	cd "$1" &&
		npm ci --ignore-scripts --no-audit --no-fund --loglevel=error --fetch-retries=1 --fetch-timeout=60000
)

pip_install() (
	cd "$1" && rm -rf .venv || return
	# Some systems ship Python without what puts pip into a new environment; there the
	# system's pip fills it from outside.
	if python3 -c 'import ensurepip' 2>/dev/null; then
		python3 -m venv .venv || return
		set -- .venv/bin/python -m pip
	else
		python3 -m venv --without-pip .venv || return
		set -- python3 -m pip --python .venv/bin/python
	fi
	"$@" install --quiet --no-input --disable-pip-version-check --retries=1 --requirement=requirements.txt
)

# provide fills a folder with what a file lists, by calling a function with the folder of
# that file, unless this was done before. Where it cannot be done the folder is left out:
# the tests that need it say so, and fail if CI is set.
provide() {
	local made=$1 list=$2 stamp="$1/.made-from" sum
	sum=$(cksum <"$list")
	if [[ -f $stamp && $(<"$stamp") == "$sum" ]]; then
		return
	fi
	printf '   installing %s\n' "$made"
	if "$3" "$(dirname -- "$list")" >/dev/null; then
		printf '%s\n' "$sum" >"$stamp"
	else
		printf '   NOT INSTALLED: %s\n' "$made"
		rm -rf -- "$made"
	fi
}

provide_clients() {
	local list
	for list in $(ours -path './e2e/*' -name package-lock.json); do
		provide "${list%/*}/node_modules" "$list" npm_install
	done
	for list in $(ours -path './e2e/*' -name requirements.txt); do
		provide "${list%/*}/.venv" "$list" pip_install
	done
}

lint() {
	stage 'gofmt' check_format
	stage 'go vet' each all go vet ./...
	stage 'golangci-lint' check_code
	stage 'actionlint' check_workflows
	stage 'module files' check_modules
}

unit() {
	stage 'unit tests with the race detector' test_with_race_detector
}

e2e() {
	stage 'clients for e2e' provide_clients
	stage 'e2e and bench' each tests go test -count=1 -timeout=20m ./...
}

quick() {
	stage 'gofmt' check_format
	stage 'go vet' each product go vet ./...
	stage 'unit tests' each product go test ./...
}

all() {
	lint
	unit
	e2e
}

"$what"
printf '\nPASSED: %s, %dm%02ds\n' "$what" $((SECONDS / 60)) $((SECONDS % 60))
