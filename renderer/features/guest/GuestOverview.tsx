import { FolderOpen } from 'lucide-react';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { guestCannot } from '../../../contract/guest-can.ts';
import type { LineageNode } from '../../../contract/guest-lineage.ts';
import type { Disk } from '../../../contract/guest-spec.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import { LineageTree } from '../../parts/LineageTree.tsx';
import { TimeText } from '../../parts/TimeText.tsx';
import { copyText } from '../../state/bridge.ts';
import { makeIndependent } from '../../state/cloning.ts';
import { annotateGuest } from '../../state/guest-verbs.ts';
import { showFile } from '../../state/show-file.ts';
import { useEngineStore } from '../../state/store.ts';
import { useCall } from '../../state/use-call.ts';
import { Button, IconButton } from '../../ui/Button.tsx';
import { CopyText } from '../../ui/feedback.tsx';
import { TagsField } from '../../ui/TagsField.tsx';
import { TextField } from '../../ui/TextField.tsx';
import { Switch } from '../../ui/toggles.tsx';
import { cloneWords } from '../../words/clone.ts';
import { words } from '../../words/en.ts';
import { formatBytes, formatDuration } from '../../words/format.ts';
import { Facts } from './Facts.tsx';
import { GuestCharts } from './GuestCharts.tsx';
import { GuestOrigin } from './GuestOrigin.tsx';
import { GuestPlace } from './GuestPlace.tsx';
import { GuestSeed } from './GuestSeed.tsx';

/** How a guest does, and what is known of it. */
export function GuestOverview({ guest }: { guest: Guest }) {
  return (
    <div className="guest-overview">
      <GuestCharts guest={guest} />
      <aside className="guest-side" aria-label={words.guest.facts}>
        <GuestFacts guest={guest} />
        <GuestPlace guest={guest} />
        <GuestLineage guest={guest} />
        <GuestSeed guest={guest} />
        <GuestOrigin guest={guest} />
        <GuestNotes key={guest.id} guest={guest} />
      </aside>
    </div>
  );
}

function GuestFacts({ guest }: { guest: Guest }) {
  const { spec, state } = guest;
  const { run } = state;
  const facts: [string, ReactNode][] = [[words.guest.system, spec.os.name]];
  if (run) {
    facts.push(
      [words.guest.uptime, <Uptime key="uptime" since={run.startedAt} />],
      [
        words.guest.addresses,
        run.addresses.length === 0 ? (
          <span key="none" className="muted">
            {words.guest.noAddresses}
          </span>
        ) : (
          <Addresses key="addresses" addresses={run.addresses} />
        ),
      ],
      [
        words.guest.agent,
        !spec.agents.qemu ? words.guest.agentNotWanted : run.qemuAgent ? words.guest.agentOn(run.qemuAgentVersion) : words.guest.agentOff,
      ],
      [words.guest.process, String(run.pid)],
    );
    if (run.hostname !== null) facts.push([words.guest.hostname, run.hostname]);
    if (run.resolution) facts.push([words.guest.display, `${run.resolution.widthPx} × ${run.resolution.heightPx}`]);
  }
  facts.push(
    [words.guest.lastStarted, guest.lastStartedAt === null ? words.guest.never : <TimeText key="started" at={guest.lastStartedAt} />],
    [words.guest.created, <TimeText key="created" at={guest.createdAt} />],
  );
  if (guest.origin) facts.push([cloneWords.madeFrom, guest.origin.name]);
  if (guest.identity) facts.push([cloneWords.identityFact, guest.identity.text]);
  if (spec.disks.length > 0)
    facts.push([words.guest.disks, spec.disks.map((disk) => <DiskFact key={disk.id} guest={guest} disk={disk} />)]);
  return (
    <section className="guest-box">
      <h2>{words.guest.facts}</h2>
      <Facts facts={facts} />
    </section>
  );
}

/** What its disks build upon, and what builds upon them; nothing where they stand alone. */
function GuestLineage({ guest }: { guest: Guest }) {
  // A guest that is still being made has no disks yet that could be shown.
  const guests = useEngineStore((state) => Object.values(state.guests).filter((one) => one.state.status !== 'creating').length);
  const files = guest.spec.disks.map(({ location }) => (location.kind === 'store' ? location.file : location.path)).join();
  const { value } = useCall('lineage.show', {}, `${guests} ${files} ${guest.state.busy ?? ''}`);
  const isFocus = (node: LineageNode) => node.guestId === guest.id;
  if (!value?.some(isFocus)) return null;
  return (
    <section className="guest-box">
      <div className="row">
        <h2 className="grow">{cloneWords.lineage}</h2>
        <Button
          kind="quiet"
          tooltip={cloneWords.makeIndependentNote}
          reason={guestCannot(guest.state, 'flatten')}
          onPress={() => void makeIndependent(guest)}
        >
          {cloneWords.makeIndependent}
        </Button>
      </div>
      <LineageTree nodes={value} isFocus={isFocus} />
    </section>
  );
}

function Addresses({ addresses }: { addresses: readonly string[] }) {
  return addresses.map((address) => (
    <div key={address}>
      <CopyText text={address} copyLabel={words.common.copy} copiedLabel={words.common.copied} onCopy={copyText} />
    </div>
  ));
}

function Uptime({ since }: { since: string }) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return formatDuration((now - Date.parse(since)) / 1000);
}

function DiskFact({ guest, disk }: { guest: Guest; disk: Disk }) {
  const home = useEngineStore((state) => state.engine?.home ?? '');
  const path = disk.location.kind === 'in-place' ? disk.location.path : `${home}/guests/${guest.id}/${disk.location.file}`;
  return (
    <div className="row">
      <span className="ellipsis grow" title={path}>
        {disk.location.kind === 'in-place' ? disk.location.path : disk.location.file} · {formatBytes(disk.sizeBytes)}
      </span>
      <IconButton icon={FolderOpen} label={words.common.showFile} onPress={() => void showFile(path)} />
    </div>
  );
}

/** What the person says of the guest; kept as it is typed. */
function GuestNotes({ guest }: { guest: Guest }) {
  const { spec } = guest;
  const [notes, setNotes] = useState(spec.notes);
  const typed = useRef(false);
  // What another client wrote shows up, unless something is being typed here.
  useEffect(() => {
    if (!typed.current) setNotes(spec.notes);
  }, [spec.notes]);
  useEffect(() => {
    if (!typed.current) return;
    const timer = setTimeout(() => {
      typed.current = false;
      void annotateGuest(guest, { notes });
    }, 700);
    return () => clearTimeout(timer);
  }, [notes, guest]);
  return (
    <section className="guest-box stack">
      <TextField
        label={words.guest.notes}
        value={notes}
        multiline
        placeholder={words.guest.notesPlaceholder}
        onChange={(next) => {
          typed.current = true;
          setNotes(next.slice(0, 20_000));
        }}
        onBlur={() => {
          if (!typed.current) return;
          typed.current = false;
          void annotateGuest(guest, { notes });
        }}
      />
      <TagsField
        label={words.guest.tags}
        value={spec.tags}
        maxLength={40}
        placeholder={words.guest.addTag}
        removeLabel={words.common.remove}
        onChange={(tags) => void annotateGuest(guest, { tags })}
      />
      <Switch
        label={words.guest.autostart}
        description={words.guest.autostartNote}
        value={spec.autostart}
        onChange={(autostart) => void annotateGuest(guest, { autostart })}
      />
      <Switch label={words.guest.favourite} value={spec.favourite} onChange={(favourite) => void annotateGuest(guest, { favourite })} />
    </section>
  );
}
