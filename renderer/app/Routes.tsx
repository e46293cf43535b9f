import { Compass } from 'lucide-react';
import { type ReactNode, useEffect } from 'react';
import { Redirect, Route, Switch, useLocation } from 'wouter';
import type { GuestId } from '../../contract/ids.ts';
import { ActivityPage } from '../features/activity/ActivityPage.tsx';
import { CreatePage } from '../features/create/CreatePage.tsx';
import { DownloadsPage } from '../features/downloads/DownloadsPage.tsx';
import { GuestPage } from '../features/guest/GuestPage.tsx';
import { HardwareTab } from '../features/hardware/HardwareTab.tsx';
import { HealthPage } from '../features/health/HealthPage.tsx';
import { ImagesPage } from '../features/images/ImagesPage.tsx';
import { LibraryPage } from '../features/library/LibraryPage.tsx';
import { rememberedLibrary } from '../features/library/library-address.ts';
import { SettingsPage } from '../features/settings/SettingsPage.tsx';
import { SnapshotsTab } from '../features/snapshots/SnapshotsTab.tsx';
import { StoragePage } from '../features/storage/StoragePage.tsx';
import { TerminalTab } from '../features/terminal/TerminalTab.tsx';
import { ImportMachinePage } from '../features/transfer/ImportMachinePage.tsx';
import { TrashPage } from '../features/trash/TrashPage.tsx';
import { Button } from '../ui/Button.tsx';
import { EmptyState } from '../ui/feedback.tsx';
import { words } from '../words/en.ts';
import { transferWords } from '../words/transfer.ts';
import { ConsoleSlot } from './ConsoleSlot.tsx';
import { PageBoundary } from './PageBoundary.tsx';

/** Which page an address shows. */
export function Routes() {
  return (
    <Switch>
      <Route path="/library">
        <Page title={words.library.title}>
          <LibraryPage />
        </Page>
      </Route>
      <Route path="/guests/:id/:tab?">
        {({ id, tab }) => (
          // The page sets its own title: the guest's name.
          <PageBoundary key={id}>
            <GuestPage
              guestId={id as GuestId}
              tab={tab}
              console={<ConsoleSlot key={id} guestId={id as GuestId} />}
              hardware={<HardwareTab key={id} guestId={id as GuestId} />}
              snapshots={<SnapshotsTab key={id} guestId={id as GuestId} />}
              terminal={<TerminalTab key={id} guestId={id as GuestId} />}
            />
          </PageBoundary>
        )}
      </Route>
      <Route path="/images">
        <Page title={words.images.title}>
          <ImagesPage />
        </Page>
      </Route>
      <Route path="/downloads">
        <Page title={words.downloads.title}>
          <DownloadsPage />
        </Page>
      </Route>
      <Route path="/storage">
        <Page title={words.storage.title}>
          <StoragePage />
        </Page>
      </Route>
      <Route path="/import">
        <Page title={transferWords.importTitle}>
          <ImportMachinePage />
        </Page>
      </Route>
      <Route path="/activity/:tab?">
        {({ tab }) => (
          <Page title={words.activity.title}>
            <ActivityPage tab={tab} />
          </Page>
        )}
      </Route>
      <Route path="/health">
        <Page title={words.health.title}>
          <HealthPage />
        </Page>
      </Route>
      <Route path="/settings">
        <Page title={words.settings.title}>
          <SettingsPage />
        </Page>
      </Route>
      <Route path="/trash">
        <Page title={words.trash.title}>
          <TrashPage />
        </Page>
      </Route>
      <Route path="/new/:source?">
        {({ source }) => (
          <Page title={words.create.title}>
            <CreatePage source={source} />
          </Page>
        )}
      </Route>
      <Route path="/">
        <Redirect to={rememberedLibrary()} replace />
      </Route>
      <Route path="/index.html">
        <Redirect to={rememberedLibrary()} replace />
      </Route>
      <Route>
        <NotFound />
      </Route>
    </Switch>
  );
}

function Page({ title, children }: { title: string; children: ReactNode }) {
  useEffect(() => {
    document.title = words.app.title(title);
  }, [title]);
  return <PageBoundary>{children}</PageBoundary>;
}

function NotFound() {
  const [, navigate] = useLocation();
  return (
    <EmptyState
      icon={Compass}
      level={1}
      title={words.app.notFoundTitle}
      actions={
        <Button kind="primary" onPress={() => navigate('/library')}>
          {words.app.toLibrary}
        </Button>
      }
    >
      {words.app.notFoundText}
    </EmptyState>
  );
}
