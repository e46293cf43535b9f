import { RotateCcw } from 'lucide-react';
import type { ReactNode } from 'react';
import type { CreateChoices, FieldNote } from '../../../contract/guest-creation.ts';
import type { HostReport } from '../../../contract/host.ts';
import { notesFor } from '../../parts/field-notes.ts';
import { PortForwards } from '../../parts/PortForwards.tsx';
import { Button } from '../../ui/Button.tsx';
import { NumberField } from '../../ui/NumberField.tsx';
import { ComboBox, Select } from '../../ui/Select.tsx';
import { TextField } from '../../ui/TextField.tsx';
import { Switch } from '../../ui/toggles.tsx';
import { words } from '../../words/en.ts';
import type { ShownHardware } from './create-choices.ts';

const w = words.create;
const h = words.guest.hardware;

function optionsOf<Id extends string>(labels: Record<Id, string>) {
  return (Object.keys(labels) as Id[]).map((id) => ({ id, label: labels[id] }));
}

type Props = {
  shown: ShownHardware;
  notes: readonly FieldNote[];
  host: HostReport | null;
  hasDisk: boolean;
  changed: boolean;
  onChange: (change: CreateChoices) => void;
  onReset: () => void;
};

/** Every other part of the hardware, for those who know better than the recommendation. */
export function MoreHardware({ shown, notes, host, hasDisk, changed, onChange, onReset }: Props) {
  const qemu = host?.qemu.find((each) => each.architecture === shown.architecture);
  const list = (values: readonly string[] | undefined) => (values ?? []).map((id) => ({ id, label: id }));
  const cpu = (change: Partial<ShownHardware['cpu']>) => onChange({ cpu: { ...shown.cpu, ...change } });
  return (
    <div className="create-more">
      <div className="row row-wrap">
        <p className="muted grow">{w.moreHardwareNote}</p>
        {changed && (
          <Button icon={RotateCcw} kind="quiet" onPress={onReset}>
            {w.resets}
          </Button>
        )}
      </div>
      <Group title={w.firmwareMachine}>
        <Select
          label={h.firmware}
          value={shown.firmware}
          options={optionsOf(words.guest.firmwares)}
          onChange={(firmware) => onChange({ firmware })}
          notes={notesFor(notes, 'firmware')}
        />
        <ComboBox
          label={h.machine}
          value={shown.machine}
          options={list(qemu?.machines)}
          onChange={(machine) => onChange({ machine })}
          notes={notesFor(notes, 'machine')}
          mono
        />
        <Select
          label={h.accelerator}
          value={shown.accelerator}
          options={optionsOf(w.acceleratorNames)}
          onChange={(accelerator) => onChange({ accelerator })}
          notes={notesFor(notes, 'accelerator')}
        />
        <Select label={h.clock} value={shown.clock} options={optionsOf(words.guest.clocks)} onChange={(clock) => onChange({ clock })} />
        <Switch label={h.tpm} value={shown.tpm} onChange={(tpm) => onChange({ tpm })} description={noteText(notes, 'tpm')} />
        <Switch label={h.hyperv} value={shown.hypervEnlightenments} onChange={(on) => onChange({ hypervEnlightenments: on })} />
      </Group>
      <Group title={w.processor}>
        <ComboBox
          label={h.cpuModel}
          value={shown.cpu.model}
          options={list(['auto', ...(qemu?.cpuModels ?? [])])}
          onChange={(model) => cpu({ model })}
          notes={notesFor(notes, 'cpu.model')}
          mono
        />
        <NumberField label={w.sockets} value={shown.cpu.sockets} min={1} max={64} onChange={(sockets) => cpu({ sockets })} />
        <NumberField label={w.cores} value={shown.cpu.cores} min={1} max={256} onChange={(cores) => cpu({ cores })} />
        <NumberField label={w.threads} value={shown.cpu.threads} min={1} max={8} onChange={(threads) => cpu({ threads })} />
      </Group>
      {hasDisk && (
        <Group title={w.diskGroup}>
          <Select
            label={w.bus}
            value={shown.diskBus}
            options={optionsOf(w.deviceNames)}
            onChange={(diskBus) => onChange({ diskBus })}
            notes={notesFor(notes, 'diskBus')}
          />
          <Select
            label={w.cache}
            value={shown.diskCache}
            options={optionsOf(w.cacheNames)}
            onChange={(diskCache) => onChange({ diskCache })}
            notes={notesFor(notes, 'diskCache')}
          />
        </Group>
      )}
      <Group title={w.networkGroup}>
        <Select
          label={w.network}
          value={shown.network}
          options={optionsOf(w.networks)}
          onChange={(network) => onChange({ network })}
          notes={notesFor(notes, 'network')}
        />
        {shown.network !== 'none' && (
          <Select
            label={w.nicModel}
            value={shown.nicModel}
            options={optionsOf(w.nicNames)}
            onChange={(nicModel) => onChange({ nicModel })}
            notes={notesFor(notes, 'nicModel')}
          />
        )}
        {shown.network !== 'none' && <PortForwards value={shown.forwards} onChange={(forwards) => onChange({ forwards })} notes={notes} />}
      </Group>
      <Group title={w.displayGroup}>
        <Select
          label={w.displayDevice}
          value={shown.display.device}
          options={optionsOf(w.displayNames)}
          onChange={(device) => onChange({ display: { ...shown.display, device } })}
          notes={notesFor(notes, 'display')}
        />
        <NumberField
          label={w.heads}
          value={shown.display.heads}
          min={1}
          max={16}
          onChange={(heads) => onChange({ display: { ...shown.display, heads } })}
        />
        <Select
          label={h.sound}
          value={shown.sound}
          options={optionsOf(w.soundNames)}
          onChange={(sound) => onChange({ sound })}
          notes={notesFor(notes, 'sound')}
        />
      </Group>
      <Group title={w.deviceGroup}>
        <Switch label={h.tablet} value={shown.usbTablet} onChange={(usbTablet) => onChange({ usbTablet })} />
        <Switch label={h.rng} value={shown.rng} onChange={(rng) => onChange({ rng })} />
        <Switch label={h.balloon} value={shown.balloon} onChange={(balloon) => onChange({ balloon })} />
        <Switch label={h.serial} value={shown.serial} onChange={(serial) => onChange({ serial })} />
        <Switch label={h.panic} value={shown.panicDevice} onChange={(panicDevice) => onChange({ panicDevice })} />
        <Switch label={h.qemuAgent} value={shown.agents.qemu} onChange={(on) => onChange({ agents: { ...shown.agents, qemu: on } })} />
        <Switch label={h.spiceAgent} value={shown.agents.spice} onChange={(on) => onChange({ agents: { ...shown.agents, spice: on } })} />
        <Switch
          label={words.guest.autostart}
          description={words.guest.autostartNote}
          value={shown.autostart}
          onChange={(autostart) => onChange({ autostart })}
        />
        <Select
          label={h.watchdog}
          value={shown.watchdog.model}
          options={optionsOf(w.watchdogNames)}
          onChange={(model) => onChange({ watchdog: { ...shown.watchdog, model } })}
          notes={notesFor(notes, 'watchdog')}
        />
        {shown.watchdog.model !== 'none' && (
          <Select
            label={w.watchdogAction}
            value={shown.watchdog.action}
            options={optionsOf(w.watchdogActions)}
            onChange={(action) => onChange({ watchdog: { ...shown.watchdog, action } })}
          />
        )}
      </Group>
      <Group title={w.expertGroup}>
        <div className="create-wide">
          <TextField
            label={w.extra}
            description={w.extraNote}
            multiline
            mono
            direction="ltr"
            rows={3}
            value={shown.extraArguments.join('\n')}
            onChange={(text) => onChange({ extraArguments: text === '' ? [] : text.split('\n') })}
            notes={notesFor(notes, 'extraArguments')}
          />
        </div>
      </Group>
    </div>
  );
}

function Group({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="create-group">
      <h3>{title}</h3>
      <div className="create-grid">{children}</div>
    </section>
  );
}

/** Notes of a switch, which has no place of its own for them. */
function noteText(notes: readonly FieldNote[], path: string): ReactNode {
  const lines = notesFor(notes, path);
  return lines.map((line) => (
    <span key={line.text} className={`field-note-${line.severity}`}>
      {line.text}
    </span>
  ));
}
