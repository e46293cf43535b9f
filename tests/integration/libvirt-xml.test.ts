/** Whether libvirt itself takes the XML that guests are shown as, where its own tool is installed. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { goldenFacts, goldenGuests } from '../../main/engine/drivers/qemu/arguments/golden-specs.ts';
import { buildDomainXml } from '../../main/engine/hardware/libvirt-xml.ts';

const validator = '/usr/bin/virt-xml-validate';

test('the domain of every golden guest is one to libvirt', (context) => {
  if (!existsSync(validator)) context.skip('virt-xml-validate is not installed (on Debian: libvirt-clients)');
  const folder = mkdtempSync('/tmp/gh-xml-');
  try {
    for (const [name, golden] of Object.entries(goldenGuests)) {
      const { accelerator, firmware, files, disks, media } = goldenFacts(golden);
      // libvirt knows firmware in qcow2 since 9.2 only.
      if (firmware?.format === 'qcow2') continue;
      const paths = new Map([...disks, ...media].map(([id, medium]) => [id, medium.path]));
      const path = join(folder, `${name}.xml`);
      writeFileSync(
        path,
        buildDomainXml(golden.spec, { emulator: '/usr/bin/qemu-system-x86_64', accelerator, firmware, nvram: files.nvram, paths }),
      );
      expect(() => execFileSync(validator, [path, 'domain'], { stdio: 'pipe' }), name).not.toThrow();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
