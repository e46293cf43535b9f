import { expect, test } from 'vitest';
import { parseAccelerators, parseCpuModels, parseDevices, parseMachines, parseSpice, parseVersion } from './qemu-help.ts';

test('the version is read from Debian, Fedora and bare builds', () => {
  expect(parseVersion('QEMU emulator version 7.2.19 (Debian 1:7.2+dfsg-7+deb12u18+b3)\nCopyright')).toBe('7.2.19');
  expect(parseVersion('QEMU emulator version 9.1.2 (qemu-9.1.2-1.fc41)')).toBe('9.1.2');
  expect(parseVersion('QEMU emulator version 10.0.50')).toBe('10.0.50');
  expect(parseVersion('bash: command not found')).toBeNull();
});

test('machine types come without the heading and without "none"', () => {
  const text =
    'Supported machines are:\nmicrovm              microvm (i386)\npc                   Standard PC (alias of pc-i440fx-7.2)\npc-i440fx-7.2        Standard PC\nnone                 empty machine\n';
  expect(parseMachines(text)).toEqual(['microvm', 'pc', 'pc-i440fx-7.2']);
});

test('CPU models of x86 and of Arm are read, flags are not', () => {
  expect(
    parseCpuModels(
      'Available CPUs:\nx86 486                   (alias configured by machine type)\nx86 host                  processor\n\nRecognized CPUID flags:\n  3dnow 3dnowext\n',
    ),
  ).toEqual(['486', 'host']);
  expect(parseCpuModels('Available CPUs:\n  a64fx\n  cortex-a57\n')).toEqual(['a64fx', 'cortex-a57']);
});

test('devices and accelerators are read', () => {
  expect(
    parseDevices('USB devices:\nname "usb-tablet", bus usb-bus\nname "usb-tablet", bus usb-bus\n\nname "qxl-vga", bus PCI, desc "x"\n'),
  ).toEqual(['usb-tablet', 'qxl-vga']);
  expect(parseAccelerators('Accelerators supported in QEMU binary:\ntcg\nkvm\n')).toEqual(['tcg', 'kvm']);
});

test('SPICE is there only when -spice help lists options', () => {
  expect(parseSpice('spice options:\n  addr=<str>\n  agent-mouse=<bool (on/off)>\n')).toBe(true);
  expect(parseSpice('qemu-system-x86_64: -spice: invalid option')).toBe(false);
  expect(parseSpice("There is no option group 'spice'\nPerhaps you want to install qemu-system-modules-spice package?")).toBe(false);
});
