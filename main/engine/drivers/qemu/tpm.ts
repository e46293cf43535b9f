/** The TPM of a guest: one swtpm process beside its QEMU. It ends by itself when QEMU does. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { Failure } from '../../../../contract/errors.ts';
import type { GuestFiles } from '../../files/layout.ts';
import { readPidFile } from './find-qemu.ts';
import { commandLine, identify, isAlive, signalProcess, waitUntil } from './process-table.ts';
import { readTail } from './run-end.ts';

/** One that cannot start ends at once; a busy computer takes long. */
const startTimeoutMs = 30_000;

/** @throws Failure `guest/start-failed` with swtpm's own words. */
export async function startTpm(swtpmPath: string, name: string, files: GuestFiles): Promise<void> {
  await stopTpm(files);
  await mkdir(files.tpmState, { recursive: true, mode: 0o700 });
  const child = spawn(
    swtpmPath,
    [
      'socket',
      '--tpm2',
      '--tpmstate',
      `dir=${files.tpmState},mode=0600`,
      '--ctrl',
      `type=unixio,path=${files.tpm},mode=0600`,
      '--pid',
      `file=${files.tpmPid}`,
      '--log',
      `file=${files.tpmLog},level=1,truncate`,
      '--terminate',
    ],
    { detached: true, stdio: 'ignore' },
  );
  let failed: string | null = null;
  child.once('error', (error) => {
    failed = error.message;
  });
  child.once('exit', (code) => {
    failed ??= `it ended with exit status ${code}`;
  });
  child.unref();
  await waitUntil(() => failed !== null || (existsSync(files.tpm) && readPidFile(files.tpmPid) !== null), startTimeoutMs);
  if (failed !== null || !existsSync(files.tpm)) {
    throw new Failure('guest/start-failed', `${name} did not start: its TPM (swtpm) does not run${failed ? `, ${failed}` : ''}.`, {
      detail: readTail(files.tpmLog, 4096).toString('utf8'),
    });
  }
}

/** Ends a swtpm whose QEMU is gone. Idempotent. */
export async function stopTpm(files: GuestFiles): Promise<void> {
  const pid = readPidFile(files.tpmPid);
  const id = pid === null ? null : identify(pid);
  if (id && commandLine(id.pid).some((argument) => argument.includes(files.tpm))) {
    // It writes its state down before it ends, so it is given the time.
    await waitUntil(() => !isAlive(id), 500);
    signalProcess(id, 'SIGTERM');
    if (!(await waitUntil(() => !isAlive(id), 3_000))) signalProcess(id, 'SIGKILL');
  }
  await rm(files.tpm, { force: true });
  await rm(files.tpmPid, { force: true });
}
