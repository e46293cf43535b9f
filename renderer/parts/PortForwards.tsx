import { Plus, X } from 'lucide-react';
import type { ReactNode } from 'react';
import type { FieldNote } from '../../contract/guest-creation.ts';
import type { PortForward } from '../../contract/guest-spec.ts';
import { Button, IconButton } from '../ui/Button.tsx';
import { NumberField } from '../ui/NumberField.tsx';
import { Select } from '../ui/Select.tsx';
import { FieldNotes, TextField } from '../ui/TextField.tsx';
import { words } from '../words/en.ts';
import { notesFor } from './field-notes.ts';
import './PortForwards.css';

const w = words.create;
const protocols = [
  { id: 'tcp', label: 'TCP' },
  { id: 'udp', label: 'UDP' },
] as const;

type Props = { value: readonly PortForward[]; onChange: (value: PortForward[]) => void; notes: readonly FieldNote[]; mark?: ReactNode };

/** Ports of this computer that lead into the guest. A new one suggests ssh, on the first port that is not in the list. */
export function PortForwards({ value, onChange, notes, mark }: Props) {
  const change = (index: number, part: Partial<PortForward>) =>
    onChange(value.map((each, at) => (at === index ? { ...each, ...part } : each)));
  const add = () => {
    let hostPort = 2222;
    while (value.some((each) => each.hostPort === hostPort)) hostPort += 1;
    onChange([...value, { protocol: 'tcp', hostAddress: '127.0.0.1', hostPort, guestPort: 22 }]);
  };
  return (
    <div className="forwards rows">
      <span className="field-label">{w.forwards}</span>
      {value.map((forward, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: lines have no identity but their place
        <div key={index} className="stack">
          <div className="rows-line">
            <div className="forward-narrow">
              <Select
                label={w.protocol}
                value={forward.protocol}
                options={protocols}
                onChange={(protocol) => change(index, { protocol })}
              />
            </div>
            <div className="forward-address">
              <TextField
                label={w.hostAddress}
                value={forward.hostAddress}
                mono
                direction="ltr"
                onChange={(hostAddress) => change(index, { hostAddress })}
              />
            </div>
            <div className="forward-port">
              <NumberField
                label={w.hostPort}
                value={forward.hostPort}
                min={1}
                max={65_535}
                onChange={(hostPort) => change(index, { hostPort })}
              />
            </div>
            <div className="forward-port">
              <NumberField
                label={w.guestPort}
                value={forward.guestPort}
                min={1}
                max={65_535}
                onChange={(guestPort) => change(index, { guestPort })}
              />
            </div>
            <IconButton
              icon={X}
              label={w.removeForward(forward.hostPort)}
              onPress={() => onChange(value.filter((_, at) => at !== index))}
            />
          </div>
          <FieldNotes description={null} notes={notesFor(notes, `forwards.${index}`)} />
        </div>
      ))}
      <FieldNotes
        description={
          <>
            {mark} {w.forwardsNote}
          </>
        }
        notes={notesFor(
          notes.filter((note) => /forwards$/.test(note.path)),
          'forwards',
        )}
      />
      <div>
        <Button icon={Plus} onPress={add}>
          {w.addForward}
        </Button>
      </div>
    </div>
  );
}
