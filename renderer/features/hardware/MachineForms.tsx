import { cpuCount } from '../../../contract/guest-spec.ts';
import { useCall } from '../../state/use-call.ts';
import { NumberField } from '../../ui/NumberField.tsx';
import { ComboBox, Select } from '../../ui/Select.tsx';
import { TextField } from '../../ui/TextField.tsx';
import { words } from '../../words/en.ts';
import { formatMiB } from '../../words/format.ts';
import { FieldGroup, fieldProps, optionsOf, SwitchField } from './fields.tsx';
import type { Editor } from './use-editor.ts';

const w = words.hardware;
const h = words.guest.hardware;
const c = words.create;

type Props = { editor: Editor };

export function SystemForm({ editor }: Props) {
  const { shown, set } = editor;
  const { value: host } = useCall('host.report', {});
  const machines = host?.qemu.find(({ architecture }) => architecture === shown.architecture)?.machines ?? [];
  return (
    <>
      <p className="muted selectable hardware-file">
        {shown.os.name} · {shown.architecture} · <span className="mono">{shown.uuid}</span>
      </p>
      <FieldGroup>
        <Select
          label={h.firmware}
          value={shown.firmware}
          options={optionsOf(words.guest.firmwares)}
          onChange={(firmware) => set({ firmware })}
          {...fieldProps(editor, 'firmware')}
        />
        <ComboBox
          label={h.machine}
          value={shown.machine}
          options={machines.map((id) => ({ id, label: id }))}
          onChange={(machine) => set({ machine })}
          mono
          {...fieldProps(editor, 'machine')}
        />
        <Select
          label={h.accelerator}
          value={shown.accelerator}
          options={optionsOf(c.acceleratorNames)}
          onChange={(accelerator) => set({ accelerator })}
          {...fieldProps(editor, 'accelerator')}
        />
        <Select
          label={h.clock}
          value={shown.clock}
          options={optionsOf(words.guest.clocks)}
          onChange={(clock) => set({ clock })}
          {...fieldProps(editor, 'clock')}
        />
        <SwitchField editor={editor} path="tpm" label={h.tpm} value={shown.tpm} onChange={(tpm) => set({ tpm })} />
        <SwitchField
          editor={editor}
          path="hypervEnlightenments"
          label={h.hyperv}
          value={shown.hypervEnlightenments}
          onChange={(hypervEnlightenments) => set({ hypervEnlightenments })}
        />
        <SwitchField
          editor={editor}
          path="bootMenu"
          label={w.bootMenu}
          note={w.bootMenuNote}
          value={shown.bootMenu}
          onChange={(bootMenu) => set({ bootMenu })}
        />
      </FieldGroup>
    </>
  );
}

export function ProcessorForm({ editor }: Props) {
  const { shown, set } = editor;
  const { cpu } = shown;
  const { value: host } = useCall('host.report', {});
  const models = host?.qemu.find(({ architecture }) => architecture === shown.architecture)?.cpuModels ?? [];
  const room = cpuCount(cpu);
  const change = (part: Partial<typeof cpu>) => set({ cpu: { ...cpu, ...part } });
  return (
    <>
      <FieldGroup>
        {cpu.online === null ? (
          <NumberField
            label={c.cpus}
            value={room}
            min={1}
            max={256}
            onChange={(cores) => change({ sockets: 1, cores, threads: 1 })}
            {...fieldProps(editor, 'cpu', host ? w.host(host.cpus) : undefined)}
          />
        ) : (
          <NumberField
            label={w.cpuNow}
            value={cpu.online}
            min={1}
            max={room}
            onChange={(online) => change({ online })}
            {...fieldProps(editor, 'cpu.online', w.cpuNote)}
          />
        )}
        <SwitchField
          editor={editor}
          path="cpu.online"
          label={w.roomForCpus}
          note={w.roomForCpusNote}
          value={cpu.online !== null}
          onChange={(on) => change({ online: on ? room : null })}
        />
        <ComboBox
          label={h.cpuModel}
          value={cpu.model}
          options={['auto', ...models].map((id) => ({ id, label: id }))}
          onChange={(model) => change({ model })}
          mono
          {...fieldProps(editor, 'cpu.model')}
        />
        <TextField
          label={w.pins}
          value={cpu.pins.join(',')}
          onChange={(text) => change({ pins: text.split(',').flatMap((one) => (/^\s*\d{1,4}\s*$/.test(one) ? Number(one) : [])) })}
          mono
          direction="ltr"
          {...fieldProps(editor, 'cpu.pins', w.pinsNote)}
        />
      </FieldGroup>
      <FieldGroup title={`${w.topology}: ${w.room(room)}`}>
        <NumberField
          label={c.sockets}
          value={cpu.sockets}
          min={1}
          max={64}
          onChange={(sockets) => change({ sockets })}
          {...fieldProps(editor, 'cpu.sockets')}
        />
        <NumberField
          label={c.cores}
          value={cpu.cores}
          min={1}
          max={256}
          onChange={(cores) => change({ cores })}
          {...fieldProps(editor, 'cpu.cores')}
        />
        <NumberField
          label={c.threads}
          value={cpu.threads}
          min={1}
          max={8}
          onChange={(threads) => change({ threads })}
          {...fieldProps(editor, 'cpu.threads')}
        />
        <NumberField
          label={w.numa}
          value={shown.numaNodes}
          min={1}
          max={8}
          onChange={(numaNodes) => set({ numaNodes })}
          {...fieldProps(editor, 'numaNodes')}
        />
      </FieldGroup>
      <FieldGroup>
        <SwitchField
          editor={editor}
          path="cpuQuotaPercent"
          label={w.limitCpu}
          value={shown.cpuQuotaPercent !== null}
          onChange={(on) => set({ cpuQuotaPercent: on ? 100 : null })}
        />
        {shown.cpuQuotaPercent !== null && (
          <NumberField
            label={w.quota}
            unit="%"
            value={shown.cpuQuotaPercent}
            min={1}
            max={409_600}
            step={25}
            onChange={(cpuQuotaPercent) => set({ cpuQuotaPercent })}
            description={w.quotaNote}
          />
        )}
      </FieldGroup>
    </>
  );
}

export function MemoryForm({ editor }: Props) {
  const { shown, set } = editor;
  const { value: host } = useCall('host.report', {});
  return (
    <>
      <FieldGroup>
        <NumberField
          label={c.memory}
          unit="MiB"
          value={shown.memoryMiB}
          min={16}
          max={16_777_216}
          step={128}
          onChange={(memoryMiB) => set({ memoryMiB })}
          {...fieldProps(editor, 'memoryMiB', host ? c.memoryNote(formatMiB(host.memoryFreeMiB)) : undefined)}
        />
        <SwitchField
          editor={editor}
          path="hugePages"
          label={w.hugePages}
          note={w.hugePagesNote}
          value={shown.hugePages}
          onChange={(hugePages) => set({ hugePages })}
        />
      </FieldGroup>
      <FieldGroup>
        <SwitchField
          editor={editor}
          path={shown.memoryMaxMiB === null ? 'memoryMaxMiB' : ''}
          label={w.grow}
          note={w.growNote}
          value={shown.memoryMaxMiB !== null}
          onChange={(on) => set({ memoryMaxMiB: on ? shown.memoryMiB * 2 : null })}
        />
        {shown.memoryMaxMiB !== null && (
          <NumberField
            label={w.memoryMax}
            unit="MiB"
            value={shown.memoryMaxMiB}
            min={16}
            max={16_777_216}
            step={1024}
            onChange={(memoryMaxMiB) => set({ memoryMaxMiB })}
            {...fieldProps(editor, 'memoryMaxMiB')}
          />
        )}
      </FieldGroup>
      <FieldGroup>
        <SwitchField editor={editor} path="balloon" label={h.balloon} value={shown.balloon} onChange={(balloon) => set({ balloon })} />
        <SwitchField
          editor={editor}
          path={shown.balloonTargetMiB === null ? 'balloonTargetMiB' : ''}
          label={w.shrink}
          note={w.shrinkNote}
          value={shown.balloonTargetMiB !== null}
          onChange={(on) => set({ balloonTargetMiB: on ? Math.max(16, Math.floor(shown.memoryMiB / 2)) : null })}
        />
        {shown.balloonTargetMiB !== null && (
          <NumberField
            label={w.balloonTarget}
            unit="MiB"
            value={shown.balloonTargetMiB}
            min={16}
            max={shown.memoryMiB}
            step={64}
            onChange={(balloonTargetMiB) => set({ balloonTargetMiB })}
            {...fieldProps(editor, 'balloonTargetMiB')}
          />
        )}
      </FieldGroup>
    </>
  );
}

export function DisplayForm({ editor }: Props) {
  const { shown, set } = editor;
  return (
    <FieldGroup>
      <Select
        label={c.displayDevice}
        value={shown.display.device}
        options={optionsOf(c.displayNames)}
        onChange={(device) => set({ display: { ...shown.display, device } })}
        {...fieldProps(editor, 'display.device')}
      />
      <NumberField
        label={c.heads}
        value={shown.display.heads}
        min={1}
        max={16}
        onChange={(heads) => set({ display: { ...shown.display, heads } })}
        {...fieldProps(editor, 'display.heads')}
      />
      <Select
        label={h.sound}
        value={shown.sound}
        options={optionsOf(c.soundNames)}
        onChange={(sound) => set({ sound })}
        {...fieldProps(editor, 'sound')}
      />
    </FieldGroup>
  );
}

export function DevicesForm({ editor }: Props) {
  const { shown, set } = editor;
  const { agents, watchdog } = shown;
  return (
    <>
      <FieldGroup>
        <SwitchField
          editor={editor}
          path="usbTablet"
          label={h.tablet}
          value={shown.usbTablet}
          onChange={(usbTablet) => set({ usbTablet })}
        />
        <SwitchField editor={editor} path="rng" label={h.rng} value={shown.rng} onChange={(rng) => set({ rng })} />
        <SwitchField editor={editor} path="serial" label={h.serial} value={shown.serial} onChange={(serial) => set({ serial })} />
        <SwitchField
          editor={editor}
          path="panicDevice"
          label={h.panic}
          value={shown.panicDevice}
          onChange={(panicDevice) => set({ panicDevice })}
        />
        <SwitchField
          editor={editor}
          path="agents.qemu"
          label={h.qemuAgent}
          value={agents.qemu}
          onChange={(qemu) => set({ agents: { ...agents, qemu } })}
        />
        <SwitchField
          editor={editor}
          path="agents.spice"
          label={h.spiceAgent}
          value={agents.spice}
          onChange={(spice) => set({ agents: { ...agents, spice } })}
        />
      </FieldGroup>
      <FieldGroup>
        <Select
          label={h.watchdog}
          value={watchdog.model}
          options={optionsOf(c.watchdogNames)}
          onChange={(model) => set({ watchdog: { ...watchdog, model } })}
          {...fieldProps(editor, 'watchdog.model')}
        />
        {watchdog.model !== 'none' && (
          <Select
            label={c.watchdogAction}
            value={watchdog.action}
            options={optionsOf(c.watchdogActions)}
            onChange={(action) => set({ watchdog: { ...watchdog, action } })}
            {...fieldProps(editor, 'watchdog.action')}
          />
        )}
      </FieldGroup>
    </>
  );
}

export function ArgumentsForm({ editor }: Props) {
  return (
    <TextField
      label={c.extra}
      multiline
      mono
      direction="ltr"
      rows={6}
      value={editor.shown.extraArguments.join('\n')}
      onChange={(text) => editor.set({ extraArguments: text === '' ? [] : text.split('\n') })}
      {...fieldProps(editor, 'extraArguments', w.argumentsNote)}
    />
  );
}
