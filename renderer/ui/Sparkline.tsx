import { useEffect, useRef } from 'react';
import './Sparkline.css';

type Props = {
  /** Oldest first. */
  values: readonly number[];
  /** How many values the whole width shows; fewer begin at the right. */
  capacity: number;
  /** The value at the top; a larger one raises it. */
  top: number;
  label: string;
  width?: number;
  height?: number;
};

/** A line of the last values, for a glance. Drawn on a canvas: hundreds of them cost nothing. */
export function Sparkline({ values, capacity, top, label, width = 96, height = 24 }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext('2d');
    if (!element || !context) return;
    const scale = window.devicePixelRatio || 1;
    element.width = Math.round(width * scale);
    element.height = Math.round(height * scale);
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    if (values.length === 0) return;
    const highest = Math.max(top, ...values);
    const step = width / (capacity - 1);
    const x = (index: number) => width - (values.length - 1 - index) * step;
    const y = (value: number) => height - 1.5 - (value / highest) * (height - 3);
    context.beginPath();
    values.forEach((value, index) => {
      context.lineTo(x(index), y(value));
    });
    const color = getComputedStyle(element).color;
    const [only, second] = values;
    if (only !== undefined && second === undefined) {
      // A line needs two; one alone is a point.
      context.beginPath();
      context.arc(width - 1.5, y(only), 1.5, 0, 2 * Math.PI);
      context.fillStyle = color;
      context.fill();
      return;
    }
    context.strokeStyle = color;
    context.lineWidth = 1.5;
    context.lineJoin = 'round';
    context.stroke();
    context.lineTo(x(values.length - 1), height);
    context.lineTo(x(0), height);
    context.globalAlpha = 0.14;
    context.fillStyle = color;
    context.fill();
    context.globalAlpha = 1;
  }, [values, capacity, top, width, height]);
  return <canvas ref={canvas} className="sparkline" style={{ width, height }} role="img" aria-label={label} />;
}
