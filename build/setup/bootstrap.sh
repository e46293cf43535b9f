# Sourced by start, test and guesthouse: brings the checkout to the point where node_modules/.bin/node runs the rest.
# shellcheck source=build/setup/system-packages.sh
source build/setup/system-packages.sh

SETUP_LOG=${TMPDIR:-/tmp}/guesthouse-setup-$EUID.log

# Runs a stage and says how long it took, unless that was next to nothing.
stage() {
  local name=$1 began=$EPOCHREALTIME milliseconds
  shift
  "$@" || return
  milliseconds=$(((${EPOCHREALTIME/[.,]/} - ${began/[.,]/}) / 1000))
  ((milliseconds < 500)) || printf '[%s] done in %d.%d s\n' "$name" $((milliseconds / 1000)) $((milliseconds % 1000 / 100))
}

# npm ci only when node_modules is not what package-lock.json says, one at a time.
ensure_node_modules() {
  node build/setup/is-installed.cjs && return 0
  mkdir -p out
  (
    if command -v flock >/dev/null; then flock 9; fi
    node build/setup/is-installed.cjs && exit 0
    echo '[packages] installing what package-lock.json names (npm ci)'
    npm ci --no-progress --loglevel=error >"$SETUP_LOG" 2>&1 && exit 0
    tail -n 30 "$SETUP_LOG" >&2
    echo "npm ci failed; all it said is in $SETUP_LOG." >&2
    exit 1
  ) 9>out/.npm-ci.lock
}

bootstrap() {
  stage system ensure_system_packages || return
  stage packages ensure_node_modules || return
  export PATH=$PWD/node_modules/.bin:$PATH
}
