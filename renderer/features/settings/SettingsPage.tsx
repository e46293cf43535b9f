import { FileText } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import type { GuesthouseError } from '../../../contract/errors.ts';
import type { Settings } from '../../../contract/settings.ts';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { PlaceSelect } from '../../parts/PlaceSelect.tsx';
import { bridge, call, shell } from '../../state/bridge.ts';
import { useSettings } from '../../state/store.ts';
import { useCall } from '../../state/use-call.ts';
import { Button } from '../../ui/Button.tsx';
import { NumberField } from '../../ui/NumberField.tsx';
import { Select } from '../../ui/Select.tsx';
import { TextField } from '../../ui/TextField.tsx';
import { Switch } from '../../ui/toggles.tsx';
import { words } from '../../words/en.ts';
import './settings.css';

const w = words.settings;

function optionsOf<Id extends string>(labels: Record<Id, string>) {
  return (Object.keys(labels) as Id[]).map((id) => ({ id, label: labels[id] }));
}

/** What the user can choose. Every change is kept at once. */
export function SettingsPage() {
  const settings = useSettings();
  const [error, setError] = useState<GuesthouseError | null>(null);
  const set = async (change: Partial<Settings>) => {
    const answer = await call('settings.set', change);
    setError(answer.ok ? null : answer.error);
  };
  const { value: places } = useCall('storage.places', {});
  const { info } = bridge;
  return (
    <div className="page page-narrow">
      <header className="page-header">
        <h1>{w.title}</h1>
      </header>
      {error && <ErrorPanel error={error} onDismiss={() => setError(null)} />}
      <Group title={w.appearance}>
        <Select label={w.theme} value={settings.theme} options={optionsOf(w.themes)} onChange={(theme) => void set({ theme })} />
        <Select
          label={w.libraryView}
          value={settings.libraryView}
          options={optionsOf(w.libraryViews)}
          onChange={(libraryView) => void set({ libraryView })}
        />
      </Group>
      <Group title={w.guests}>
        <Select label={w.onQuit} value={settings.onQuit} options={optionsOf(w.onQuits)} onChange={(onQuit) => void set({ onQuit })} />
        <NumberField
          commit="leaving"
          label={w.shutdownTimeout}
          unit={w.seconds}
          value={settings.shutdownTimeoutSeconds}
          min={5}
          max={3600}
          onChange={(shutdownTimeoutSeconds) => void set({ shutdownTimeoutSeconds })}
        />
      </Group>
      <Group title={w.console}>
        <Select
          label={w.consoleScale}
          value={settings.consoleScale}
          options={optionsOf(w.consoleScales)}
          onChange={(consoleScale) => void set({ consoleScale })}
        />
        <Switch
          label={w.resizeGuest}
          description={w.resizeGuestNote}
          value={settings.consoleResizeGuest}
          onChange={(consoleResizeGuest) => void set({ consoleResizeGuest })}
        />
      </Group>
      <Group title={w.app}>
        <Switch label={w.notifications} value={settings.notifications} onChange={(notifications) => void set({ notifications })} />
      </Group>
      <Group title={w.storage}>
        <NumberField
          commit="leaving"
          label={w.keepFree}
          unit="MiB"
          value={settings.keepFreeMiB}
          min={0}
          max={1_048_576}
          step={256}
          onChange={(keepFreeMiB) => void set({ keepFreeMiB })}
        />
        {places && places.locations.length > 0 && (
          <>
            <PlaceSelect
              label={words.storage.newGuestsIn}
              places={places}
              value={settings.guestLocation}
              onChange={(guestLocation) => void set({ guestLocation })}
            />
            <PlaceSelect
              label={words.storage.newImagesIn}
              places={places}
              value={settings.imageLocation}
              onChange={(imageLocation) => void set({ imageLocation })}
            />
          </>
        )}
        <QemuFolder key={settings.qemuFolder} folder={settings.qemuFolder} onSet={(qemuFolder) => void set({ qemuFolder })} />
      </Group>
      <Group title={w.downloads}>
        <ProxyField key={settings.downloadProxy} proxy={settings.downloadProxy} onSet={(downloadProxy) => void set({ downloadProxy })} />
      </Group>
      <Group title={w.about}>
        <p className="muted selectable">{w.versionLine(info.version, info.electronVersion)}</p>
        {info.developmentRuntime !== null && <p className="muted">{words.top.developmentRuntimeNote(info.developmentRuntime)}</p>}
        <div>
          <Button icon={FileText} onPress={() => void shell('shell.openLogs', {})}>
            {words.engine.openLogs}
          </Button>
        </div>
      </Group>
    </div>
  );
}

function Group({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="settings-group">
      <h2>{title}</h2>
      <div className="settings-fields">{children}</div>
    </section>
  );
}

function ProxyField({ proxy, onSet }: { proxy: string | null; onSet: (proxy: string | null) => void }) {
  const [typed, setTyped] = useState(proxy ?? '');
  const value = typed.trim() === '' ? null : typed.trim();
  return (
    <TextField
      label={w.downloadProxy}
      description={w.downloadProxyNote}
      value={typed}
      onChange={setTyped}
      placeholder={w.downloadProxyPlaceholder}
      mono
      direction="ltr"
      end={value !== proxy && <Button onPress={() => onSet(value)}>{w.apply}</Button>}
    />
  );
}

/** A path is kept when it is whole, not with every letter. */
function QemuFolder({ folder, onSet }: { folder: string | null; onSet: (folder: string | null) => void }) {
  const [typed, setTyped] = useState(folder ?? '');
  const value = typed.trim() === '' ? null : typed.trim();
  return (
    <TextField
      label={w.qemuFolder}
      value={typed}
      onChange={setTyped}
      placeholder={w.qemuFolderPlaceholder}
      mono
      direction="ltr"
      end={value !== folder && <Button onPress={() => onSet(value)}>{w.apply}</Button>}
    />
  );
}
