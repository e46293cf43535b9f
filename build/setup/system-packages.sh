# Sourced by start, test and guesthouse: what must be on this computer before the project's own Node can take over.
# Written in plain bash, since Node itself may be what is missing.
#
# A requirement is a line of `probe | level | Debian and Ubuntu packages, the first known one is taken | why`.
# Probes ask for what is used and not for packages, so that a QEMU from elsewhere counts as well:
#   cmd:NAME   a program on PATH          lib:NAME   a shared library        file:GLOB  a file
# level is `needed` (nothing works without it) or `useful` (a part of the app does not).

requirements() {
  cat <<'LIST'
cmd:qemu-system-x86_64|needed|qemu-system-x86|runs the guests
file:/usr/lib*/qemu/ui-spice-core.so /usr/lib/*/qemu/ui-spice-core.so /usr/local/lib*/qemu/ui-spice-core.so builtin:spice|needed|qemu-system-modules-spice qemu-system-common|consoles of the guests (SPICE)
cmd:qemu-img|needed|qemu-utils|makes and checks disk images
file:/usr/share/OVMF/OVMF_CODE*.fd /usr/share/edk2*/*/OVMF_CODE*.fd /usr/share/edk2*/x64/OVMF_CODE*.fd /usr/share/qemu/edk2-x86_64-code.fd|useful|ovmf|UEFI firmware for guests
cmd:gpgv|useful|gpgv|checks the signatures of downloads
cmd:swtpm|useful|swtpm|TPM 2.0 for guests
cmd:swtpm_setup|useful|swtpm-tools|TPM 2.0 for guests
file:/usr/share/osinfo/os|useful|osinfo-db|recognises operating systems by their installation media
cmd:xorriso|useful|xorriso|discs with answers for unattended installations
cmd:openssl|useful|openssl|hashes passwords for new systems
lib:libgtk-3.so.0|needed|libgtk-3-0t64 libgtk-3-0|the window (Electron)
lib:libnss3.so|needed|libnss3|the window (Electron)
lib:libasound.so.2|needed|libasound2t64 libasound2|the window (Electron)
lib:libgbm.so.1|needed|libgbm1|the window (Electron)
lib:libXss.so.1|useful|libxss1|the window (Electron)
cmd:unzip|needed|unzip|unpacks the Electron runtime
cmd:xz|needed|xz-utils|builds the starter guest, unpacks disk images
cmd:zstd|needed|zstd|builds the starter guest
LIST
  if [[ ${SETUP_FOR:-} == tests ]]; then
    echo 'cmd:gpg|needed|gnupg|signs for the tests'
    echo 'cmd:python3|needed|python3|packs archives for the tests'
    echo 'cmd:cpio|needed|cpio|unpacks what the tests packed'
    echo 'cmd:virt-xml-validate|needed|libvirt-clients|checks the libvirt XML that the tests export'
    echo 'cmd:xmllint|needed|libxml2-utils|checks the libvirt XML that the tests export'
    echo 'cmd:Xorg|useful|xserver-xorg-core|several displays for the window, in the tests'
    echo 'file:/usr/lib/xorg/modules/drivers/dummy_drv.so|useful|xserver-xorg-video-dummy|several displays for the window, in the tests'
    echo 'cmd:xrandr|useful|x11-xserver-utils|several displays for the window, in the tests'
    echo 'cmd:openbox|useful|openbox|windows that are full screen on them, in the tests'
    echo 'cmd:ffprobe|useful|ffmpeg|looks into recordings, in the tests'
    echo 'file:/usr/lib/memtest86+/memtest86+x64.iso|needed|memtest86+|a disc that starts, for the tests'
  fi
  if ! has_display; then
    echo 'cmd:Xvfb|needed|xvfb|a display for the window, since this session has none'
  fi
  if [[ ! -e node_modules/node-pty/build/Release/pty.node ]]; then
    echo 'cmd:python3|needed|python3|builds the terminal module at npm ci'
    echo 'cmd:make|needed|make|builds the terminal module at npm ci'
    echo 'cmd:g++|needed|g++|builds the terminal module at npm ci'
  fi
}

has_display() {
  [[ -n ${DISPLAY:-} || -n ${WAYLAND_DISPLAY:-} ]]
}

# True when what the probe names is there. A `file` probe may name several globs; `builtin:spice` asks QEMU itself.
is_present() {
  local probe=$1 name=${1#*:} candidate
  case $probe in
    cmd:*) command -v "$name" >/dev/null ;;
    lib:*) grep -qF "$name " <<<"$LIBRARIES" ;;
    file:*)
      for candidate in $name; do
        if [[ $candidate == builtin:spice ]]; then
          qemu-system-x86_64 -chardev help 2>/dev/null | grep -q spicevmc && return 0
        elif [[ -e $candidate ]]; then
          return 0
        fi
      done
      return 1
      ;;
  esac
}

# The first of several package names that this system's apt knows; the last one when it knows none.
known_package() {
  local package
  for package in "$@"; do
    if apt-cache show --no-all-versions "$package" >/dev/null 2>&1; then break; fi
  done
  echo "$package"
}

# Major version of the Node on PATH, 0 when there is none.
node_major() {
  command -v node >/dev/null && node --version 2>/dev/null | sed -n 's/^v\([0-9]*\).*/\1/p' | grep . || echo 0
}

# Node 18 is enough to run npm; npm ci then brings the Node 24 that everything else runs on.
OLDEST_NODE=18

# Fails with the remedy unless a usable Node and npm are there or apt can bring them (then their packages are printed).
missing_node_packages() {
  local major candidate
  major=$(node_major)
  if ((major >= OLDEST_NODE)) && command -v npm >/dev/null; then return 0; fi
  if ((major == 0)) && command -v apt-get >/dev/null; then
    candidate=$(apt-cache policy nodejs 2>/dev/null | sed -n 's/^ *Candidate: \([0-9]*\).*/\1/p')
    if ((${candidate:-0} >= OLDEST_NODE)); then
      echo 'nodejs npm'
      return 0
    fi
  fi
  if ((major == 0)); then
    echo "Node.js was not found, and it is needed to set the project up." >&2
  elif ((major < OLDEST_NODE)); then
    echo "Node.js $(node --version) at $(command -v node) is too old; version $OLDEST_NODE or later is needed to set the project up." >&2
  else
    echo "npm was not found beside $(command -v node), and it is needed to set the project up." >&2
  fi
  echo "Install Node.js 24 with npm from https://nodejs.org/en/download or your distribution, and run this again." >&2
  return 1
}

# Installs what is missing, or says what to do and fails.
ensure_system_packages() {
  [[ $(uname -s) == Linux ]] || return 0
  PATH=$PATH:/usr/sbin:/sbin
  LIBRARIES=$(ldconfig -p 2>/dev/null)

  local probe level packages why entry
  local -a missing=()
  while IFS='|' read -r probe level packages why; do
    is_present "$probe" || missing+=("$probe|$level|$packages|$why")
  done < <(requirements)

  if ! command -v apt-get >/dev/null; then
    ensure_without_apt "${missing[@]}"
    return
  fi

  local has_lists=no
  compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null && has_lists=yes
  if ((${#missing[@]} == 0)) && command -v npm >/dev/null && (($(node_major) >= OLDEST_NODE)); then return 0; fi
  if [[ $has_lists == no ]] && may_install; then
    echo 'Asking which packages there are (apt-get update)'
    as_root apt-get update -q >"$SETUP_LOG" 2>&1
  fi

  local node_packages package
  node_packages=$(missing_node_packages) || return 1
  local -a install=()
  echo 'These packages are missing:'
  for package in $node_packages; do
    install+=("$package")
    printf '  %-28s %s\n' "$package" 'sets the project up'
  done
  for entry in "${missing[@]}"; do
    IFS='|' read -r probe level packages why <<<"$entry"
    # shellcheck disable=SC2086 # a list of names
    package=$(known_package $packages)
    install+=("$package")
    printf '  %-28s %s\n' "$package" "$why"
  done

  local -a command=(apt-get install -y --no-install-recommends "${install[@]}")
  if ! may_install; then
    echo "Installing them takes root's rights, which this session cannot get. Run this, then start again:"
    echo "  sudo ${command[*]}"
    return 1
  fi
  echo "Installing them: $( ((EUID == 0)) || echo 'sudo ')${command[*]}"
  as_root env DEBIAN_FRONTEND=noninteractive "${command[@]}" -q >>"$SETUP_LOG" 2>&1 && return 0
  # The lists are perhaps older than the mirror.
  as_root apt-get update -q >>"$SETUP_LOG" 2>&1
  as_root env DEBIAN_FRONTEND=noninteractive "${command[@]}" -q >>"$SETUP_LOG" 2>&1 && return 0
  tail -n 20 "$SETUP_LOG" >&2
  echo "apt could not install them; all it said is in $SETUP_LOG." >&2
  return 1
}

# On other systems nothing is installed: names differ, and guessing them would be worse than saying what is needed.
ensure_without_apt() {
  missing_node_packages || return 1
  local entry probe level packages why needed=no
  (($# == 0)) && return 0
  echo 'This system has no apt, so nothing is installed by itself. These are missing:'
  for entry in "$@"; do
    IFS='|' read -r probe level packages why <<<"$entry"
    [[ $level == needed ]] && needed=yes
    printf '  %-28s %s (%s; on Debian: %s)\n' "${probe#*:}" "$why" "$level" "${packages%% *}" | sed 's| /usr[^ ]*||g; s| builtin:spice||'
  done
  [[ $needed == no ]] && return 0
  echo 'Install at least the needed ones with your package manager, and run this again.'
  return 1
}

# sudo may ask for a password only where somebody can type it.
may_install() {
  ((EUID == 0)) && return 0
  command -v sudo >/dev/null || return 1
  [[ -t 0 ]] || sudo -n true 2>/dev/null
}

as_root() {
  if ((EUID == 0)); then "$@"; else sudo "$@"; fi
}
