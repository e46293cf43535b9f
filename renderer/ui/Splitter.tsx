import { type KeyboardEvent, type PointerEvent, useRef } from 'react';
import './Splitter.css';

type Props = { label: string; value: number; min: number; max: number; onChange: (value: number) => void };

/** The edge between two panes: dragged, or moved with the arrow keys. `value` is the width of the pane before it. */
export function Splitter({ label, value, min, max, onChange }: Props) {
  const start = useRef<{ x: number; value: number } | null>(null);
  const clamp = (next: number) => Math.min(max, Math.max(min, Math.round(next)));
  const onPointerDown = (event: PointerEvent<HTMLHRElement>) => {
    event.currentTarget.setPointerCapture(event.pointerId);
    start.current = { x: event.clientX, value };
  };
  const onPointerMove = (event: PointerEvent<HTMLHRElement>) => {
    if (start.current) onChange(clamp(start.current.value + event.clientX - start.current.x));
  };
  const onKeyDown = (event: KeyboardEvent<HTMLHRElement>) => {
    const next = { ArrowLeft: value - 8, ArrowRight: value + 8, Home: min, End: max }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    onChange(clamp(next));
  };
  return (
    <hr
      className="splitter"
      aria-label={label}
      aria-orientation="vertical"
      aria-valuenow={value}
      aria-valuemin={min}
      aria-valuemax={max}
      tabIndex={0}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={() => {
        start.current = null;
      }}
      onKeyDown={onKeyDown}
    />
  );
}
