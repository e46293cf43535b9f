import { expect, test } from 'vitest';
import { buildModulesAlias, buildModulesDep, type KernelModule, parseModuleInfo, withoutSignature } from './kernel-modules.ts';

function moduleOf(name: string, needs: string[], aliases: string[] = []): KernelModule {
  return { name, path: `kernel/${name}.ko`, content: Buffer.alloc(0), needs, aliases };
}

test('a module says what it needs, what should be there before it, and which devices it drives', () => {
  const info =
    '\u007fELF\0license=GPL\0alias=pci:v00001AF4d*\0alias=fs-ext4\0softdep=pre: crc32c aes-generic post: zstd\0depends=virtio-ring,virtio\0name=x\0';
  expect(parseModuleInfo(Buffer.from(info, 'latin1'))).toEqual({
    needs: ['virtio_ring', 'virtio', 'crc32c', 'aes_generic'],
    aliases: ['pci:v00001AF4d*', 'fs-ext4'],
  });
});

test('a module that needs nothing says so', () => {
  expect(parseModuleInfo(Buffer.from('\0depends=\0', 'latin1'))).toEqual({ needs: [], aliases: [] });
});

test('a line of modules.dep names all that is needed, nearest first', () => {
  const modules = [moduleOf('virtio', []), moduleOf('virtio_ring', ['virtio']), moduleOf('virtio_pci', ['virtio_ring', 'virtio'])];
  expect(buildModulesDep(modules)).toBe(
    'kernel/virtio.ko:\nkernel/virtio_ring.ko: kernel/virtio.ko\nkernel/virtio_pci.ko: kernel/virtio_ring.ko kernel/virtio.ko\n',
  );
});

test('modules that need each other do not loop', () => {
  expect(buildModulesDep([moduleOf('a', ['b']), moduleOf('b', ['a'])])).toContain('kernel/a.ko:');
});

test('modules.alias has one line for every kind of device', () => {
  expect(buildModulesAlias([moduleOf('bochs', [], ['pci:a', 'pci:b'])])).toBe('alias pci:a bochs\nalias pci:b bochs\n');
});

test('a signature is cut off, and a module without one stays whole', () => {
  const code = Buffer.from('module code');
  const length = Buffer.from([0, 0, 0, 9]);
  const signed = Buffer.concat([code, Buffer.from('signature'), Buffer.alloc(8), length, Buffer.from('~Module signature appended~\n')]);
  expect(withoutSignature(signed).equals(code)).toBe(true);
  expect(withoutSignature(code)).toBe(code);
});
