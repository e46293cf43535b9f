#!/bin/sh
# Run by dpkg after the app was removed. electron-builder fills in what stands in braces.
set -e
rm -f /usr/bin/guesthouse '/usr/bin/${executable}'
if [ -f '/etc/apparmor.d/${executable}' ]; then
  if apparmor_status --enabled >/dev/null 2>&1 && ! ischroot 2>/dev/null; then apparmor_parser --remove '/etc/apparmor.d/${executable}' || true; fi
  rm -f '/etc/apparmor.d/${executable}'
fi
