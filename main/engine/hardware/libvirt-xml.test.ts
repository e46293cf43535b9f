import fc from 'fast-check';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { expect, test } from 'vitest';
import { diskOf, goldenFacts, goldenGuests, specOf } from '../drivers/qemu/arguments/golden-specs.ts';
import { buildDomainXml, type DomainFacts } from './libvirt-xml.ts';

function factsOf(name: string): DomainFacts {
  const golden = goldenGuests[name];
  if (!golden) throw new Error(name);
  const { accelerator, firmware, files, disks, media } = goldenFacts(golden);
  const paths = new Map([...disks, ...media].map(([id, medium]) => [id, medium.path]));
  return { emulator: '/usr/bin/qemu-system-x86_64', accelerator, firmware, nvram: files.nvram, paths };
}

const shown = [
  'linux-bios',
  'linux-uefi',
  'windows-secure-tpm-kvm',
  'old-pc',
  'every-bus',
  'forwards',
  'room-to-grow',
  'numa-huge-pages',
  'shared-folders',
  'usb-devices',
  'boot-from-network',
  'extra-arguments',
];

test.for(shown)('the domain of %s is as recorded', async (name) => {
  const spec = goldenGuests[name]?.spec ?? specOf();
  await expect(buildDomainXml(spec, factsOf(name))).toMatchFileSnapshot(`golden/${name}.xml`);
});

test('every golden guest is XML, with every disk that it has', () => {
  for (const [name, { spec }] of Object.entries(goldenGuests)) {
    const xml = buildDomainXml(spec, factsOf(name));
    expect(XMLValidator.validate(xml), name).toBe(true);
    expect(xml.match(/device='disk'/g) ?? []).toHaveLength(spec.disks.length);
    expect(xml.match(/device='cdrom'/g) ?? []).toHaveLength(spec.cdDrives.length);
  }
});

test('whatever a guest is called, and whatever its files are, nothing of it becomes XML of its own', () => {
  const parser = new XMLParser({
    ignoreAttributes: false,
    parseTagValue: false,
    trimValues: false,
    processEntities: true,
    htmlEntities: true,
  });
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1 }), (text) => {
      const spec = specOf({ name: text, notes: `${text}--><evil/>`, disks: [diskOf()], extraArguments: [`--${text}-->`] });
      const xml = buildDomainXml(spec, { ...factsOf('linux-bios'), paths: new Map([['disk0', text]]) });
      expect(XMLValidator.validate(xml)).toBe(true);
      const { domain } = parser.parse(xml);
      expect(Object.keys(domain)).not.toContain('evil');
      expect(Object.keys(domain.devices)).not.toContain('evil');
    }),
  );
});

test('what libvirt has no words for is said', () => {
  expect(buildDomainXml(goldenGuests.forwards?.spec ?? specOf(), factsOf('forwards'))).toContain(
    'port forward tcp 127.0.0.1:2222 to port 22 of nic0',
  );
  expect(buildDomainXml(specOf(), factsOf('linux-bios'))).not.toContain('<!--');
});
