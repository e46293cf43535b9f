import './StateBadge.css';

export type StateShape = 'running' | 'paused' | 'crashed' | 'off' | 'moving' | 'asleep' | 'template';

/** A state by shape and colour; `label` says it in words, shown beside the shape unless `compact`. */
export function StateBadge({
  shape,
  label,
  compact = false,
  soft = false,
}: {
  shape: StateShape;
  label: string;
  compact?: boolean;
  soft?: boolean;
}) {
  return (
    <span
      className={`state state-${shape}${soft ? ' state-soft' : ''}`}
      {...(compact ? { role: 'img', 'aria-label': label, title: label } : {})}
    >
      <svg width={12} height={12} viewBox="0 0 12 12" aria-hidden="true">
        {shapes[shape]}
      </svg>
      {!compact && <span className="ellipsis">{label}</span>}
    </span>
  );
}

const shapes = {
  running: <circle cx={6} cy={6} r={4.5} fill="currentColor" />,
  paused: <path d="M2.5 1.500h2.500v9H2.500zM7 1.500h2.500v9H7z" fill="currentColor" />,
  crashed: <path d="M6 .8 11.6 11H.4zM5.4 4.500v3h1.200v-3zM5.4 8.400v1.200h1.200V8.400z" fill="currentColor" fillRule="evenodd" />,
  off: <circle cx={6} cy={6} r={4} fill="none" stroke="currentColor" strokeWidth={1.5} />,
  moving: <path d="M6 1.500A4.5 4.5 0 1 1 1.5 6" fill="none" stroke="currentColor" strokeWidth={1.8} strokeLinecap="round" />,
  template: <path d="M3.500 1.500h7v7M1.500 3.500h7v7h-7z" fill="none" stroke="currentColor" strokeWidth={1.5} strokeLinejoin="round" />,
  asleep: <path d="M9.9 7.600A4.7 4.7 0 0 1 4.4 2.100a4.7 4.7 0 1 0 5.5 5.500z" fill="currentColor" />,
};
