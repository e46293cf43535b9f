#!/bin/sh
# Run by dpkg after the app was installed. electron-builder fills in what stands in braces.
set -e
app='/opt/${sanitizedProductName}'

ln -sf "$app/guesthouse" /usr/bin/guesthouse
ln -sf "$app/${executable}" '/usr/bin/${executable}'

# Chromium makes its sandbox with user namespaces, and with this helper where the system allows those to nobody.
if unshare --user true 2>/dev/null; then chmod 0755 "$app/chrome-sandbox"; else chmod 4755 "$app/chrome-sandbox"; fi

# Ubuntu 24.04 and later allow user namespaces only to programs with a profile.
profile="$app/resources/apparmor-profile"
if apparmor_status --enabled >/dev/null 2>&1 && apparmor_parser --skip-kernel-load --debug "$profile" >/dev/null 2>&1; then
  cp -f "$profile" '/etc/apparmor.d/${executable}'
  if ! ischroot 2>/dev/null; then apparmor_parser --replace --write-cache --skip-read-cache '/etc/apparmor.d/${executable}'; fi
fi

if command -v update-mime-database >/dev/null; then update-mime-database /usr/share/mime || true; fi
if command -v update-desktop-database >/dev/null; then update-desktop-database /usr/share/applications || true; fi
