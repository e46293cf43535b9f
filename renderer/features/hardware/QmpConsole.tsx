import { useState } from 'react';
import type { GuesthouseError } from '../../../contract/errors.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { call, copyText } from '../../state/bridge.ts';
import { Button } from '../../ui/Button.tsx';
import { CodeBlock } from '../../ui/feedback.tsx';
import { ComboBox } from '../../ui/Select.tsx';
import { TextField } from '../../ui/TextField.tsx';
import { Switch } from '../../ui/toggles.tsx';
import { words } from '../../words/en.ts';

const w = words.hardware;

/** Questions that people have most; any other can be typed. */
const questions = [
  'query-status',
  'query-block',
  'query-blockstats',
  'query-named-block-nodes',
  'query-cpus-fast',
  'query-hotpluggable-cpus',
  'query-memory-devices',
  'query-memory-size-summary',
  'query-balloon',
  'query-chardev',
  'query-pci',
  'query-rx-filter',
  'query-spice',
  'query-migrate',
  'query-jobs',
  'query-version',
  'query-commands',
  'qom-list',
];

/** Asks the guest's QEMU in its own language: only questions, until more is allowed. */
export function QmpConsole({ guest }: { guest: Guest }) {
  const [command, setCommand] = useState('query-status');
  const [input, setInput] = useState('');
  const [anything, setAnything] = useState(false);
  const [busy, setBusy] = useState(false);
  const [answer, setAnswer] = useState<{ command: string; text: string } | null>(null);
  const [error, setError] = useState<GuesthouseError | null>(null);
  const parsed = parseObject(input);
  const runs = guest.state.status === 'running' || guest.state.status === 'paused';
  const reason = runs ? (parsed === null ? w.qmpBadJson : null) : w.qmpOff;
  const send = async () => {
    if (reason !== null || parsed === null) return;
    setBusy(true);
    const name = anything ? 'guest.qmpCommand' : 'guest.qmpQuery';
    const result = await call(name, { guest: guest.id, command: command.trim(), ...(input.trim() === '' ? {} : { arguments: parsed }) });
    setBusy(false);
    setError(result.ok ? null : result.error);
    if (result.ok) setAnswer({ command, text: JSON.stringify(result.value.answer, null, 2) });
  };
  return (
    <div className="stack hardware-console">
      <p className="muted">{w.qmpNote}</p>
      <div className="hardware-grid">
        <ComboBox label={w.qmpCommand} value={command} options={questions.map((id) => ({ id, label: id }))} onChange={setCommand} mono />
        <TextField
          label={w.qmpArguments}
          value={input}
          onChange={setInput}
          placeholder='{"path":"/machine"}'
          mono
          direction="ltr"
          notes={parsed === null ? [{ severity: 'problem', text: w.qmpBadJson }] : []}
        />
      </div>
      <Switch label={w.qmpAny} description={w.qmpAnyNote} value={anything} onChange={setAnything} />
      <div>
        <Button kind={anything ? 'danger' : 'secondary'} reason={reason} busy={busy} onPress={() => void send()}>
          {w.qmpAsk}
        </Button>
      </div>
      {error && <ErrorPanel error={error} onDismiss={() => setError(null)} />}
      {answer && (
        <CodeBlock
          text={answer.text}
          label={`${w.qmpAnswer}: ${answer.command}`}
          copyLabel={words.common.copy}
          copiedLabel={words.common.copied}
          onCopy={copyText}
        />
      )}
    </div>
  );
}

/** An empty text is no arguments; null is what is no JSON object. */
function parseObject(text: string): Record<string, unknown> | null {
  if (text.trim() === '') return {};
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
