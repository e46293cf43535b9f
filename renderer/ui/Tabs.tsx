import type { Key, ReactNode } from 'react';
import { Tabs as AriaTabs, Tab, TabList, TabPanel } from 'react-aria-components';
import './Tabs.css';

type Props<Id extends string> = {
  label: string;
  tabs: readonly { id: Id; label: string; badge?: ReactNode }[];
  value: Id;
  onChange: (id: Id) => void;
  /** The content of the chosen tab; only that is mounted. */
  children: ReactNode;
  /** Lets the panel take all the room there is and scroll inside itself. */
  fill?: boolean;
};

/** Pages beside each other. */
export function Tabs<Id extends string>({ label, tabs, value, onChange, children, fill = false }: Props<Id>) {
  return (
    <AriaTabs
      className={fill ? 'tabs tabs-fill' : 'tabs'}
      selectedKey={value}
      onSelectionChange={(key: Key) => {
        const chosen = tabs.find((tab) => tab.id === key);
        if (chosen) onChange(chosen.id);
      }}
    >
      <TabList className="tab-list" aria-label={label}>
        {tabs.map((tab) => (
          <Tab key={tab.id} id={tab.id} className="tab">
            {tab.label}
            {tab.badge}
          </Tab>
        ))}
      </TabList>
      {/* A panel of its own for each tab: the tab names it by its id. */}
      <TabPanel key={value} id={value} className="tab-panel">
        {children}
      </TabPanel>
    </AriaTabs>
  );
}
