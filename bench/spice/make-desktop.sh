#!/usr/bin/env bash
# bench/spice/make-desktop.sh DISK.qcow2: makes the Debian desktop that recordings are made of. As root, on Debian, with
#   apt install debootstrap systemd-boot-efi mtools dosfstools gdisk binutils e2fsprogs qemu-utils ffmpeg
# A few minutes, and 4 GiB in the folder of the disk meanwhile.
set -euo pipefail
disk=$(realpath "${1:?DISK.qcow2}")
work=$(mktemp -d "$(dirname "$disk")/desktop.XXXX")
trap 'rm -rf "$work"' EXIT
root=$work/root

debootstrap --variant=minbase bookworm "$root" http://deb.debian.org/debian
# Nothing starts while it is made.
printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d"
chmod +x "$root/usr/sbin/policy-rc.d"
chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C HOME=/root \
  apt-get install -y -qq --no-install-recommends systemd-sysv dbus dbus-x11 udev linux-image-amd64 xserver-xorg-core xserver-xorg-legacy \
  xserver-xorg-video-qxl xserver-xorg-input-libinput xinit openbox xterm qemu-guest-agent kmod procps xfonts-base x11-xserver-utils x11-utils \
  x11-apps xdotool fonts-dejavu-core dillo mpv
rm "$root/usr/sbin/policy-rc.d"

# A user who is logged in on the first console, with a desktop on it.
chroot "$root" useradd -m -s /bin/bash ann
printf 'needs_root_rights=yes\nallowed_users=anybody\n' > "$root/etc/X11/Xwrapper.config"
mkdir -p "$root/etc/systemd/system/getty@tty1.service.d"
printf '[Service]\nExecStart=\nExecStart=-/sbin/agetty --autologin ann --noclear %%I $TERM\n' > "$root/etc/systemd/system/getty@tty1.service.d/auto.conf"
printf '[ "$(tty)" = /dev/tty1 ] && exec startx\n' > "$root/home/ann/.bash_profile"
printf "xsetroot -solid '#31506e'\nxterm &\nexec openbox-session\n" > "$root/home/ann/.xinitrc"
chroot "$root" chown -R ann: /home/ann
printf 'LABEL=desktoproot / ext4 rw 0 1\n' > "$root/etc/fstab"

# A page with pictures, and a video.
mkdir -p "$root/srv/bench"
for each in 1 2 3 4 5 6 7 8; do
  ffmpeg -loglevel error -y -f lavfi -i "mandelbrot=size=480x300:start_scale=0.0$each:rate=1" -frames:v 1 -vf noise=alls=12:allf=t -q:v 4 "$root/srv/bench/p$each.jpg"
done
{
  printf '<html><head><title>A page</title></head><body bgcolor="#ffffff">'
  awk 'BEGIN { RS = ""; part = 0 } NR < 160 { gsub(/&/, "\\&amp;"); gsub(/</, "\\&lt;"); print "<p>" $0 "</p>"
    if (NR % 6 == 3) { part = part % 8 + 1; print "<p><img src=\"p" part ".jpg\" width=480 height=300></p>" } }' /usr/share/common-licenses/GPL-3
  printf '</body></html>'
} > "$root/srv/bench/page.html"
ffmpeg -loglevel error -y -f lavfi -i mandelbrot=size=640x360:rate=24 -t 30 -vf noise=alls=6:allf=t -c:v mpeg1video -q:v 6 "$root/srv/bench/video.mpg"

# One file that UEFI starts, and the file system.
kernel=$(ls "$root"/boot/vmlinuz-* | tail -1)
initrd=$(ls "$root"/boot/initrd.img-* | tail -1)
printf 'root=LABEL=desktoproot rw console=ttyS0 console=tty0 quiet' > "$work/cmdline"
objcopy --add-section .osrel="$root/usr/lib/os-release" --change-section-vma .osrel=0x20000 \
  --add-section .cmdline="$work/cmdline" --change-section-vma .cmdline=0x30000 \
  --add-section .linux="$kernel" --change-section-vma .linux=0x2000000 \
  --add-section .initrd="$initrd" --change-section-vma .initrd=0x3000000 /usr/lib/systemd/boot/efi/linuxx64.efi.stub "$work/desktop.efi"
truncate -s 3400M "$work/disk.raw"
sgdisk -n1:2048:+200M -t1:ef00 -n2:0:0 -t2:8304 "$work/disk.raw"
mkfs.vfat -C -n ESP "$work/esp.img" $((200 * 1024))
mmd -i "$work/esp.img" ::EFI ::EFI/BOOT
mcopy -i "$work/esp.img" "$work/desktop.efi" ::EFI/BOOT/BOOTX64.EFI
first=$(sgdisk -i2 "$work/disk.raw" | sed -n 's/First sector: \([0-9]*\).*/\1/p')
last=$(sgdisk -i2 "$work/disk.raw" | sed -n 's/Last sector: \([0-9]*\).*/\1/p')
mkfs.ext4 -q -L desktoproot -d "$root" "$work/root.img" $(((last - first + 1) / 2))k
dd if="$work/esp.img" of="$work/disk.raw" bs=1M seek=1 conv=notrunc,sparse status=none
dd if="$work/root.img" of="$work/disk.raw" bs=512 seek="$first" conv=notrunc,sparse status=none
qemu-img convert -O qcow2 "$work/disk.raw" "$disk"
