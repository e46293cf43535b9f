import { useEffect, useRef } from 'react';
import type { Job } from '../../contract/job.ts';
import { useEngineStore } from '../state/store.ts';
import { showToast } from '../state/toasts.ts';
import { words } from '../words/en.ts';

/** Whether the page that is open says itself how the job went. */
function isShownHere(job: Job): boolean {
  const { pathname } = window.location;
  if (pathname.startsWith('/activity')) return true;
  return job.kind === 'guest.create' && pathname.startsWith('/new');
}

/** Tells of jobs that fail while they are watched from elsewhere. What a page started and shows itself is told there. */
export function useJobToasts(): void {
  const told = useRef(new Set<string>());
  useEffect(
    () =>
      useEngineStore.subscribe((state, before) => {
        if (state.jobs === before.jobs) return;
        for (const [id, job] of Object.entries(state.jobs)) {
          const was = before.jobs[id];
          if (!was || was.state === job.state || job.state !== 'failed' || told.current.has(id)) continue;
          told.current.add(id);
          if (isShownHere(job)) continue;
          showToast({ tone: 'problem', title: words.jobs.failedToast(job.title), ...(job.error ? { text: job.error.message } : {}) });
        }
      }),
    [],
  );
}
