/** The Debian packages that the starter guest is made of and made with. None of them is installed: they are unpacked into a scratch folder. */

/**
 * What must be installed on the machine that builds the starter: apt and dpkg to fetch and unpack packages, util-linux and xz-utils for
 * packed kernel modules, qemu-utils for `qemu-img`. Every other tool (GRUB, mtools, mke2fs, xorriso) runs from its unpacked package.
 */
export const starterBuildPackages = ['apt', 'dpkg', 'qemu-utils', 'xz-utils', 'zstd'] as const;

/**
 * The kernel: Debian's and Ubuntu's names for "the newest general one". The smaller cloud kernel is not enough, since it has no driver for
 * any display adapter, so that consoles would have nothing but VGA text to show.
 */
export const kernelPackages = ['linux-image-amd64', 'linux-image-generic'] as const;

/** What runs inside the guest. Libraries follow from their dependencies. */
export const guestPackages = ['busybox-static', 'qemu-guest-agent', 'dropbear-bin', 'kbd', 'console-setup-linux', 'e2fsprogs'] as const;

/** What starts it: GRUB for BIOS, and the signed shim and GRUB for UEFI, so that it also starts under Secure Boot. */
export const bootPackages = ['grub-pc-bin', 'shim-signed', 'grub-efi-amd64-signed'] as const;

/** What the build runs, besides the guest's own e2fsprogs. */
export const toolPackages = ['grub-common', 'mtools', 'xorriso', 'lz4'] as const;
