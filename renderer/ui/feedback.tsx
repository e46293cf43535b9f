import type { LucideIcon } from 'lucide-react';
import { Check, ChevronDown, Copy, Info, OctagonAlert, TriangleAlert } from 'lucide-react';
import { type ReactNode, useEffect, useState } from 'react';
import {
  Button as AriaButton,
  Disclosure as AriaDisclosure,
  ProgressBar as AriaProgressBar,
  DisclosurePanel,
  Heading,
} from 'react-aria-components';
import { IconButton } from './Button.tsx';
import './feedback.css';

/** How far something is, 0 to 1; null when that is not known. */
export function ProgressBar({ label, value, text }: { label: string; value: number | null; text?: string }) {
  return (
    <AriaProgressBar
      className="progress"
      aria-label={label}
      value={value === null ? 0 : Math.round(value * 1000) / 10}
      isIndeterminate={value === null}
      {...(text === undefined ? {} : { valueLabel: text })}
    >
      <div
        className={value === null ? 'progress-bar progress-unknown' : 'progress-bar'}
        style={value === null ? {} : { width: `${value * 100}%` }}
      />
    </AriaProgressBar>
  );
}

/** A grey shape of what comes; shown only when it takes longer than a blink (CSS delays it). */
export function Skeleton({
  width = '100%',
  height = 16,
  round = false,
}: {
  width?: number | string;
  height?: number | string;
  round?: boolean;
}) {
  return <div className={round ? 'skeleton skeleton-round' : 'skeleton'} style={{ width, height }} aria-hidden="true" />;
}

type EmptyProps = {
  icon: LucideIcon;
  title: string;
  /** 1 where it is the whole page. */
  level?: 1 | 2;
  children?: ReactNode;
  actions?: ReactNode;
};

/** What stands where a list has nothing. */
export function EmptyState({ icon: Icon, title, level = 2, children, actions }: EmptyProps) {
  return (
    <div className="empty">
      <Icon size={32} strokeWidth={1.5} aria-hidden="true" />
      <Heading level={level} className="empty-title">
        {title}
      </Heading>
      {children && <div className="empty-words">{children}</div>}
      {actions && <div className="row row-wrap empty-actions">{actions}</div>}
    </div>
  );
}

export type NoticeTone = 'info' | 'warning' | 'problem' | 'ok';

const noticeIcons: Record<NoticeTone, LucideIcon> = { info: Info, warning: TriangleAlert, problem: OctagonAlert, ok: Check };

type NoticeProps = { tone: NoticeTone; title: ReactNode; children?: ReactNode; actions?: ReactNode; role?: 'alert' | 'status' };

/** Something that wants attention where it arose: what happened, what to do, the button that does it. */
export function Notice({ tone, title, children, actions, role }: NoticeProps) {
  const Icon = noticeIcons[tone];
  return (
    <div className={`notice notice-${tone}`} {...(role ? { role } : {})}>
      <Icon size={20} aria-hidden="true" />
      <div className="notice-words">
        <div className="notice-title selectable">{title}</div>
        {children}
      </div>
      {actions && <div className="row row-wrap notice-actions">{actions}</div>}
    </div>
  );
}

type CopyProps = { text: string; copyLabel: string; copiedLabel: string; onCopy: (text: string) => void };

/** Copies `text`, and says for a moment that it did. */
function CopyButton({ text, copyLabel, copiedLabel, onCopy, inBlock = false }: CopyProps & { inBlock?: boolean }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 1500);
    return () => clearTimeout(timer);
  }, [copied]);
  return (
    <IconButton
      icon={copied ? Check : Copy}
      label={copied ? copiedLabel : copyLabel}
      {...(inBlock ? { kind: 'secondary', className: 'code-copy' } : {})}
      onPress={() => {
        onCopy(text);
        setCopied(true);
      }}
    />
  );
}

/** A small line that can be copied: an error's code, an address. */
export function CopyText(props: CopyProps) {
  return (
    <span className="copy-text">
      <code className="selectable">{props.text}</code>
      <CopyButton {...props} />
    </span>
  );
}

/** Text as a program printed it, with a button to copy it. */
export function CodeBlock({ label, ...copy }: CopyProps & { label: string }) {
  return (
    <div className="code-block">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <figure className="code-text" tabIndex={0} aria-label={label}>
        <pre className="selectable">{copy.text}</pre>
      </figure>
      <CopyButton {...copy} inBlock />
    </div>
  );
}

/** More of something, opened on demand. */
export function Disclosure({ title, children, open }: { title: ReactNode; children: ReactNode; open?: boolean }) {
  return (
    <AriaDisclosure className="disclosure" {...(open ? { defaultExpanded: true } : {})}>
      <Heading level={2}>
        <AriaButton slot="trigger" className="disclosure-trigger">
          <ChevronDown size={16} aria-hidden="true" />
          {title}
        </AriaButton>
      </Heading>
      <DisclosurePanel className="disclosure-panel">{children}</DisclosurePanel>
    </AriaDisclosure>
  );
}

/** A key or a combination, "Ctrl K". */
export function Keys({ keys }: { keys: string }) {
  return (
    <span className="keys">
      {keys.split('+').map((key) => (
        <kbd className="kbd" key={key}>
          {key}
        </kbd>
      ))}
    </span>
  );
}
