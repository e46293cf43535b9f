import type { ReactNode } from 'react';
import { type CdDrive, cpuCount, type Disk } from '../../../contract/guest-spec.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { copyText } from '../../state/bridge.ts';
import { useImages } from '../../state/store.ts';
import { useCall } from '../../state/use-call.ts';
import { CodeBlock, Disclosure, Skeleton } from '../../ui/feedback.tsx';
import { words } from '../../words/en.ts';
import { formatBytes, formatInteger, formatMiB } from '../../words/format.ts';
import { buildCommandLine } from './command-line.ts';
import { Facts } from './Facts.tsx';

const w = words.guest.hardware;
const onOff = (on: boolean) => (on ? words.common.on : words.common.off);

/** Every part of which a guest is built. */
export function GuestHardware({ guest }: { guest: Guest }) {
  const { spec } = guest;
  return (
    <div className="guest-hardware">
      <div className="guest-hardware-grid">
        <Box
          title={w.system}
          facts={[
            [words.guest.system, spec.os.name],
            [w.architecture, spec.architecture],
            [w.machine, spec.machine],
            [w.firmware, words.guest.firmwares[spec.firmware]],
            [w.tpm, onOff(spec.tpm)],
            [w.clock, words.guest.clocks[spec.clock]],
            [w.hyperv, onOff(spec.hypervEnlightenments)],
            [
              w.uuid,
              <span key="uuid" className="mono">
                {spec.uuid}
              </span>,
            ],
          ]}
        />
        <Box
          title={w.processor}
          facts={[
            [w.cpus, `${formatInteger(cpuCount(spec.cpu))} (${w.topology(spec.cpu.sockets, spec.cpu.cores, spec.cpu.threads)})`],
            [w.cpuModel, spec.cpu.model === 'auto' ? w.automatic : spec.cpu.model],
            [w.accelerator, spec.accelerator === 'auto' ? w.automatic : words.create.acceleratorNames[spec.accelerator]],
            [w.memory, formatMiB(spec.memoryMiB)],
            [w.balloon, onOff(spec.balloon)],
          ]}
        />
        <Box title={w.storage} facts={storageFacts(guest)} />
        <Box title={w.network} facts={networkFacts(guest)} />
        <Box
          title={w.display}
          facts={[
            [w.device, w.displays[spec.display.device]],
            [w.heads, formatInteger(spec.display.heads)],
            [w.sound, words.create.soundNames[spec.sound]],
          ]}
        />
        <Box
          title={w.devices}
          facts={[
            [w.tablet, onOff(spec.usbTablet)],
            [w.rng, onOff(spec.rng)],
            [
              w.watchdog,
              spec.watchdog.model === 'none'
                ? words.common.none
                : w.watchdogLine(words.create.watchdogNames[spec.watchdog.model], words.create.watchdogActions[spec.watchdog.action]),
            ],
            [w.serial, onOff(spec.serial)],
            [w.panic, onOff(spec.panicDevice)],
            [w.qemuAgent, onOff(spec.agents.qemu)],
            [w.spiceAgent, onOff(spec.agents.spice)],
            ...(spec.extraArguments.length > 0
              ? [[w.extra, <code key="extra">{buildCommandLine(spec.extraArguments)}</code>] as [string, ReactNode]]
              : []),
          ]}
        />
      </div>
      <Disclosure title={w.command}>
        <CommandLine guest={guest} />
      </Disclosure>
    </div>
  );
}

function Box({ title, facts }: { title: string; facts: [string, ReactNode][] }) {
  return (
    <section className="guest-box">
      <h2>{title}</h2>
      <Facts facts={facts} />
    </section>
  );
}

function storageFacts({ spec }: Guest): [string, ReactNode][] {
  const facts: [string, ReactNode][] = [
    ...spec.disks.map((disk): [string, ReactNode] => [disk.id, <DiskLine key={disk.id} disk={disk} />]),
    ...spec.cdDrives.map((drive): [string, ReactNode] => [drive.id, <DriveLine key={drive.id} drive={drive} />]),
  ];
  return facts.length > 0 ? facts : [[words.guest.disks, w.noDisks]];
}

function DiskLine({ disk }: { disk: Disk }) {
  const more = [
    w.cache(disk.cache),
    disk.discard ? w.discard : '',
    disk.iothread ? w.iothread : '',
    disk.readOnly ? w.readOnly : '',
    disk.bootOrder === null ? '' : w.boots(disk.bootOrder),
  ].filter(Boolean);
  return (
    <>
      <div>{w.diskLine(formatBytes(disk.sizeBytes), disk.format, w.buses[disk.bus])}</div>
      <div className="muted small">{more.join(' · ')}</div>
      <div className="muted small mono">
        {disk.location.kind === 'in-place' ? `${disk.location.path} (${w.inPlace})` : `${disk.location.file} (${w.inStore})`}
      </div>
    </>
  );
}

function DriveLine({ drive }: { drive: CdDrive }) {
  const images = useImages();
  const { medium } = drive;
  const held = medium === null ? w.emptyDrive : medium.kind === 'in-place' ? medium.path : (images[medium.imageId]?.name ?? medium.imageId);
  const more = [w.buses[drive.bus], drive.bootOrder === null ? '' : w.boots(drive.bootOrder)].filter(Boolean);
  return (
    <>
      <div>
        <bdi>{held}</bdi>
      </div>
      <div className="muted small">{more.join(' · ')}</div>
    </>
  );
}

function networkFacts({ spec }: Guest): [string, ReactNode][] {
  if (spec.nics.length === 0) return [[w.network, w.noNics]];
  return spec.nics.map((nic) => [
    nic.id,
    <div key={nic.id}>
      <div>
        {w.nics[nic.model]} · {w.userMode}
        {nic.restricted && `, ${w.restricted}`}
      </div>
      <div className="muted small mono">{nic.mac}</div>
      {nic.forwards.map((forward) => (
        <div key={`${forward.protocol}${forward.hostPort}`} className="small">
          {w.forward(forward.protocol, `${forward.hostAddress}:${forward.hostPort}`, forward.guestPort)}
        </div>
      ))}
    </div>,
  ]);
}

function CommandLine({ guest }: { guest: Guest }) {
  const { value, error } = useCall('guest.arguments', { guest: guest.id }, guest.spec);
  if (error) return <ErrorPanel error={error} />;
  if (!value) return <Skeleton height={120} />;
  return (
    <div className="stack">
      <p className="muted">{w.commandNote}</p>
      <CodeBlock
        text={buildCommandLine(value.arguments)}
        label={w.command}
        copyLabel={words.common.copy}
        copiedLabel={words.common.copied}
        onCopy={copyText}
      />
    </div>
  );
}
