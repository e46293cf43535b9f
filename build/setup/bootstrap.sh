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
    install_packages >"$SETUP_LOG" 2>&1 && exit 0
    tail -n 30 "$SETUP_LOG" >&2
    echo "npm ci failed; all it said is in $SETUP_LOG." >&2
    exit 1
  ) 9>out/.npm-ci.lock
}

# npm before 11 does not read allowScripts in package.json, and would compile better-sqlite3 although it comes compiled. So no script is run,
# and then the two that are needed: `node` fetches its program, and node-pty is compiled.
install_packages() {
  local prefix
  # The headers of whatever Node the system has will do for node-pty, which uses Node-API; without them node-gyp asks nodejs.org for some.
  prefix=$(node -p "require('path').resolve(fs.realpathSync(process.execPath), '../..')")
  if [[ -e $prefix/include/node/node_api.h ]]; then export npm_config_nodedir=$prefix; fi
  use_recent_node || return
  npm ci --ignore-scripts --no-progress --loglevel=error || return
  npm rebuild node --loglevel=error || return
  npm rebuild node-pty --loglevel=error
}

# npm leaves out optional packages, such as the bundler's binary, that name a newer Node than the one it runs on. So where the system's is
# older than they ask for, npm itself runs on the Node of package.json, kept in the cache.
use_recent_node() {
  if node -e "const [major, minor] = process.versions.node.split('.'); process.exit(major > 22 || (major == 22 && minor >= 12) ? 0 : 1)"; then return 0; fi
  local version cache package
  version=$(node -p "require('./package.json').devDependencies.node")
  cache=${GUESTHOUSE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/guesthouse}/node-$version
  package=node-linux-$(node -p process.arch)
  if [[ ! -x $cache/node_modules/$package/bin/node ]]; then
    mkdir -p "$cache"
    npm install --prefix "$cache" --no-package-lock --no-save --no-progress --loglevel=error "$package@$version" || return
  fi
  PATH=$cache/node_modules/$package/bin:$PATH
}

bootstrap() {
  stage system ensure_system_packages || return
  stage packages ensure_node_modules || return
  export PATH=$PWD/node_modules/.bin:$PATH
}
