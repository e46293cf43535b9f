import { ArrowLeft } from 'lucide-react';
import { useState } from 'react';
import { useLocation, useSearch } from 'wouter';
import type { CallOutput } from '../../../contract/calls.ts';
import type { GuesthouseError } from '../../../contract/errors.ts';
import type { MachineReport } from '../../../contract/machine.ts';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { MediumPath } from '../../parts/MediumPath.tsx';
import { call } from '../../state/bridge.ts';
import { useCall } from '../../state/use-call.ts';
import { useSettled } from '../../state/use-settled.ts';
import { Button, IconButton } from '../../ui/Button.tsx';
import { Skeleton } from '../../ui/feedback.tsx';
import { TextField } from '../../ui/TextField.tsx';
import { Checkbox } from '../../ui/toggles.tsx';
import { words } from '../../words/en.ts';
import { transferWords } from '../../words/transfer.ts';
import { Importing } from './Importing.tsx';
import { MachineSummary } from './MachineSummary.tsx';
import './transfer.css';

const w = transferWords;

type Started = CallOutput<'machine.import'>;

/** A machine of another product: what it is and what importing it means, then the import with its boot test. */
export function ImportMachinePage() {
  const [, navigate] = useLocation();
  const given = new URLSearchParams(useSearch()).get('path') ?? '';
  const [started, setStarted] = useState<Started | null>(null);
  return (
    <div className="transfer">
      <header className="transfer-header">
        <IconButton icon={ArrowLeft} label={words.create.title} onPress={() => navigate('/new')} />
        <h1 className="ellipsis">{w.importTitle}</h1>
      </header>
      {started ? (
        <Importing started={started} onBack={() => setStarted(null)} />
      ) : (
        // A file that is dropped while the page is open begins it anew.
        <ImportForm key={given} path={given} onStarted={setStarted} />
      )}
    </div>
  );
}

function ImportForm({ path: given, onStarted }: { path: string; onStarted: (started: Started) => void }) {
  const [path, setPath] = useState(given);
  const [name, setName] = useState('');
  const [bootTest, setBootTest] = useState(true);
  const [convert, setConvert] = useState(true);
  const [trustPaths, setTrustPaths] = useState(false);
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<GuesthouseError | null>(null);
  const settled = useSettled(path.trim(), 250);
  const inspected = useCall('machine.inspect', settled.startsWith('/') ? { path: settled } : null);
  const report = inspected.error === null && settled === path.trim() ? inspected.value : null;
  const reason = reasonNotTo(path, inspected.error, inspected.loading, report, trustPaths);

  const start = async () => {
    setBusy(true);
    const answer = await call('machine.import', {
      path: settled,
      bootTest,
      trustPaths,
      ...(report?.conversion?.cannot === null ? { convert } : {}),
      ...(name.trim() === '' ? {} : { name: name.trim() }),
    });
    setBusy(false);
    if (answer.ok) onStarted(answer.value);
    else setRefused(answer.error);
  };

  return (
    <form
      className="transfer-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (reason === null && !busy) void start();
      }}
    >
      <div className="transfer-scroll">
        <div className="transfer-fields">
          <MediumPath label={w.file} kind="machine" value={path} onChange={setPath} autoFocus={given === ''} />
          {path.trim() === '' && <p className="muted">{w.importNote}</p>}
          {inspected.error && <ErrorPanel error={inspected.error} />}
          {!report && inspected.loading && (
            <div className="stack" role="status" aria-label={w.reading}>
              <p className="muted">{w.reading}</p>
              <Skeleton width="60%" />
              <Skeleton width="40%" />
            </div>
          )}
          {report && (
            <>
              <MachineSummary report={report} />
              {report.outsideFiles.length > 0 && <Checkbox label={w.trust} value={trustPaths} onChange={setTrustPaths} />}
              <TextField label={w.name} value={name} onChange={setName} placeholder={report.name} />
              {report.conversion && (
                <Checkbox
                  label={w.convert}
                  description={report.conversion.cannot ?? w.convertNote}
                  value={convert && report.conversion.cannot === null}
                  onChange={setConvert}
                  disabled={report.conversion.cannot !== null}
                />
              )}
              <Checkbox label={w.bootTest} description={w.bootTestNote} value={bootTest} onChange={setBootTest} />
            </>
          )}
          {refused && <ErrorPanel error={refused} onDismiss={() => setRefused(null)} />}
        </div>
      </div>
      <footer className="transfer-footer">
        <Button kind="primary" type="submit" reason={reason} busy={busy}>
          {w.start}
        </Button>
      </footer>
    </form>
  );
}

function reasonNotTo(
  path: string,
  error: GuesthouseError | null,
  loading: boolean,
  report: MachineReport | null,
  trustPaths: boolean,
): string | null {
  if (path.trim() === '') return words.create.reasonNoFile;
  if (error) return error.message;
  if (loading || !report) return w.reading;
  const stops = report.findings.filter(({ id, severity }) => {
    if (severity !== 'problem') return false;
    // What was not opened yet is looked at, and judged, when the import begins.
    return !(trustPaths && (id === 'source/outside-files' || id === 'source/no-disks'));
  });
  return stops.length > 0 ? w.reasonProblem : null;
}
