import type { ReactElement, ReactNode } from 'react';
import { Tooltip as AriaTooltip, OverlayArrow, type TooltipProps, TooltipTrigger } from 'react-aria-components';
import './Tooltip.css';

type Props = {
  /** What the tooltip says; nothing is shown for null. */
  text: ReactNode;
  placement?: TooltipProps['placement'];
  children: ReactElement;
};

/** A line of text for what is pointed at or focused. The child must take a ref and focus. */
export function WithTooltip({ text, placement = 'bottom', children }: Props) {
  return (
    <TooltipTrigger delay={500} closeDelay={100} isDisabled={text === null || text === ''}>
      {children}
      <AriaTooltip className="tooltip" placement={placement} offset={6}>
        <OverlayArrow className="tooltip-arrow">
          <svg width={8} height={8} viewBox="0 0 8 8" aria-hidden="true">
            <path d="M0 0 L4 4 L8 0" />
          </svg>
        </OverlayArrow>
        {text}
      </AriaTooltip>
    </TooltipTrigger>
  );
}
