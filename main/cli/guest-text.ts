/** Guests as text: the table of all and the facts of one. */
import { cpusOnline } from '../../contract/guest-spec.ts';
import type { Guest } from '../../contract/guest-state.ts';
import { facts, type Terminal, table } from './terminal.ts';
import { bytes, duration, localTime } from './units.ts';

export function listGuests(terminal: Terminal, guests: readonly Guest[], trash: boolean): string {
  if (guests.length === 0)
    return trash ? 'The trash is empty.' : 'There are no guests. “guesthouse guest create NAME --image starter” makes one.';
  return table(terminal, guests, [
    { title: 'NAME', value: (guest) => guest.spec.name },
    { title: 'STATE', value: (guest) => (guest.disposable ? `${guest.state.status}, disposable` : guest.state.status) },
    { title: 'OS', value: (guest) => guest.spec.os.name },
    { title: 'CPUS', value: (guest) => String(cpusOnline(guest.spec.cpu)), align: 'right' },
    { title: 'MEMORY', value: (guest) => bytes(guest.spec.memoryMiB * 1024 * 1024), align: 'right' },
    { title: 'ID', value: (guest) => guest.id },
  ]);
}

export function describeGuest(guest: Guest): string {
  const { spec, state } = guest;
  const { run, pause, crash, shutdown } = state;
  const { model, sockets, cores, threads } = spec.cpu;
  return facts([
    ['Name', spec.name],
    ['Id', guest.id],
    ['Disposable', guest.disposable ? 'yes: it goes when it ends' : null],
    ['Made from', guest.origin ? `the ${guest.origin.kind} ${guest.origin.name}` : null],
    ['Identity inside', guest.identity?.text ?? null],
    ['State', `${state.status} since ${localTime(state.since)}`],
    ['Paused because', pause?.text ?? null],
    ['Crash', crash ? `${crash.text} (${localTime(crash.at)})` : null],
    ['Shutdown', shutdown?.unanswered ? 'the guest has not answered; “guesthouse guest stop” cuts its power' : null],
    ['Operating system', spec.os.name],
    ['Processors', `${cpusOnline(spec.cpu)} (${sockets} × ${cores} × ${threads}, model ${model})`],
    ['Memory', bytes(spec.memoryMiB * 1024 * 1024)],
    ['Firmware', spec.firmware + (spec.tpm ? ' with TPM 2.0' : '')],
    ['Machine', `${spec.machine}, ${spec.architecture}`],
    ...spec.disks.map(
      (disk) => [`Disk ${disk.id}`, `${bytes(disk.sizeBytes)}, ${disk.bus}, ${disk.format}, ${place(disk.location)}`] as const,
    ),
    ...spec.cdDrives.map(
      (drive) =>
        [`CD ${drive.id}`, drive.medium ? (drive.medium.kind === 'image' ? drive.medium.imageId : drive.medium.path) : 'empty'] as const,
    ),
    ...spec.nics.map((nic) => [`NIC ${nic.id}`, `${nic.model}, ${nic.mac}${nic.restricted ? ', restricted' : ''}`] as const),
    ...spec.nics.flatMap((nic) =>
      nic.forwards.map(
        (forward) => ['Forward', `${forward.protocol} ${forward.hostAddress}:${forward.hostPort} → ${forward.guestPort}`] as const,
      ),
    ),
    ['Runs with', run ? `${run.accelerator}${run.emulated ? ' (emulated, slow)' : ''}, process ${run.pid}` : null],
    ['Up for', run ? duration((Date.now() - Date.parse(run.startedAt)) / 1000) : null],
    [
      'Agents',
      run
        ? [run.qemuAgent ? `guest agent ${run.qemuAgentVersion ?? ''}`.trim() : '', run.spiceAgent ? 'SPICE agent' : '']
            .filter(Boolean)
            .join(', ') || 'none'
        : null,
    ],
    ['Host name', run?.hostname ?? null],
    ['Addresses', run && run.addresses.length > 0 ? run.addresses.join(', ') : null],
    ['Autostart', spec.autostart ? 'yes' : 'no'],
    ['Tags', spec.tags.length > 0 ? spec.tags.join(', ') : null],
    ['Notes', spec.notes === '' ? null : spec.notes],
    ...state.problems.map((problem) => ['Problem', problem] as const),
    ['From the next start on', guest.pending ? guest.pending.map(({ path }) => path).join(', ') : null],
    ['In the trash', guest.trashedAt ? `since ${localTime(guest.trashedAt)}` : null],
  ]);
}

function place(location: Guest['spec']['disks'][number]['location']): string {
  return location.kind === 'store' ? location.file : `${location.path} (in place)`;
}
