import { useLocation } from 'wouter';
import type { CallOutput } from '../../../contract/calls.ts';
import type { BootTest } from '../../../contract/machine.ts';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { JobProgress } from '../../parts/JobProgress.tsx';
import { useGuest, useJob } from '../../state/store.ts';
import { useCall } from '../../state/use-call.ts';
import { Button } from '../../ui/Button.tsx';
import { Notice } from '../../ui/feedback.tsx';
import { words } from '../../words/en.ts';
import { transferWords } from '../../words/transfer.ts';

const w = transferWords;

/** The import under way, and at its end what the boot test saw. */
export function Importing({ started, onBack }: { started: CallOutput<'machine.import'>; onBack: () => void }) {
  const [, navigate] = useLocation();
  const job = useJob(started.job.id) ?? started.job;
  const guest = useGuest(started.guest.id);
  const name = guest?.spec.name ?? started.guest.spec.name;
  const done = job.state === 'succeeded';
  const test = useCall('machine.bootTest', done ? { guest: started.guest.id } : null);
  return (
    <div className="transfer-scroll">
      <div className="transfer-fields" role="status">
        {!done && <JobProgress job={job} title={w.importing(name)} />}
        {job.state === 'cancelled' && (
          <Notice tone="info" title={w.cancelled(name)} actions={<Button onPress={onBack}>{words.common.edit}</Button>} />
        )}
        {job.state === 'failed' && job.error && (
          <ErrorPanel error={job.error} actions={<Button onPress={onBack}>{words.common.edit}</Button>} />
        )}
        {done && (
          <>
            <Notice
              tone={!test.value || test.value.verdict === 'booted' ? 'ok' : 'warning'}
              title={w.done(name)}
              actions={
                <>
                  <Button kind="primary" onPress={() => navigate(`/guests/${started.guest.id}`)}>
                    {w.open}
                  </Button>
                  <Button onPress={onBack}>{w.another}</Button>
                </>
              }
            >
              <p>{test.loading ? '' : test.value ? `${w.verdicts[test.value.verdict]}.` : w.notTried}</p>
              {test.value && <p className="muted selectable">{test.value.text}</p>}
              {test.value?.drivers && <p className="muted selectable">{test.value.drivers}</p>}
            </Notice>
            {test.value && <Picture test={test.value} />}
          </>
        )}
      </div>
    </div>
  );
}

function Picture({ test }: { test: BootTest }) {
  if (test.pngBase64 === null) return null;
  return (
    <figure className="boot-picture">
      <img src={`data:image/png;base64,${test.pngBase64}`} alt={w.picture} />
      <figcaption className="small muted">{w.picture}</figcaption>
    </figure>
  );
}
