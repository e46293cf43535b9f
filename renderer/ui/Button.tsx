import type { LucideIcon } from 'lucide-react';
import { type ReactNode, useId } from 'react';
import { Button as AriaButton, type ButtonProps, VisuallyHidden } from 'react-aria-components';
import { isStrayClick } from './stray-click.ts';
import { WithTooltip } from './Tooltip.tsx';
import './Button.css';

export type ButtonKind = 'primary' | 'secondary' | 'quiet' | 'danger';

type Common = {
  onPress?: () => void;
  /** Why the button cannot be used now: it stays focusable, says so, and does nothing. */
  reason?: string | null;
  /** Work is under way: the button stays where it is and does nothing. */
  busy?: boolean;
  autoFocus?: boolean;
  type?: 'button' | 'submit';
  slot?: string | null;
  className?: string;
  placement?: 'top' | 'bottom' | 'left' | 'right';
  'aria-expanded'?: boolean;
  'aria-haspopup'?: 'menu' | 'dialog' | 'listbox';
};

type TextProps = Common & {
  kind?: ButtonKind;
  icon?: LucideIcon;
  /** A second icon behind the text, for a menu's arrow. */
  endIcon?: LucideIcon;
  children: ReactNode;
  tooltip?: ReactNode;
};

type IconProps = Common & {
  icon: LucideIcon;
  /** What it does: read out, and shown as its tooltip. */
  label: string;
  /** Shown behind the label in the tooltip, "Ctrl+K". */
  hint?: ReactNode;
  size?: 16 | 20;
  pressed?: boolean;
  kind?: 'quiet' | 'secondary' | 'primary';
};

/** A button in words, with an icon in front where that helps. */
export function Button({ kind = 'secondary', icon: Icon, endIcon: EndIcon, children, tooltip, reason = null, ...rest }: TextProps) {
  const reasonId = useId();
  return (
    <WithTooltip text={reason ?? tooltip ?? null} placement={rest.placement ?? 'bottom'}>
      <AriaButton {...ariaProps(rest, reason, reasonId)} className={classes('button', kind, reason, rest)}>
        {Icon && <Icon size={16} aria-hidden="true" />}
        <span className="button-text">{children}</span>
        {EndIcon && <EndIcon size={16} aria-hidden="true" />}
        {reason !== null && <VisuallyHidden id={reasonId}>{reason}</VisuallyHidden>}
      </AriaButton>
    </WithTooltip>
  );
}

/** A button that is an icon; its label is its tooltip. */
export function IconButton({ icon: Icon, label, hint, size = 16, pressed, kind = 'quiet', reason = null, ...rest }: IconProps) {
  const reasonId = useId();
  const tooltip = (
    <>
      {reason ?? label}
      {hint && reason === null && <> {hint}</>}
    </>
  );
  return (
    <WithTooltip text={tooltip} placement={rest.placement ?? 'bottom'}>
      <AriaButton
        {...ariaProps(rest, reason, reasonId)}
        aria-label={label}
        {...(pressed === undefined ? {} : { 'aria-pressed': pressed })}
        className={classes(pressed ? 'icon-button icon-button-on' : 'icon-button', kind, reason, rest)}
      >
        <Icon size={size} aria-hidden="true" />
        {reason !== null && <VisuallyHidden id={reasonId}>{reason}</VisuallyHidden>}
      </AriaButton>
    </WithTooltip>
  );
}

/** An icon button for windows that this page has opened: what React Aria lays over a page lies in this one, so the browser's own tooltip is used. */
export function PlainIconButton({
  icon: Icon,
  label,
  reason = null,
  pressed,
  onPress,
}: Pick<IconProps, 'icon' | 'label' | 'reason' | 'pressed' | 'onPress'>) {
  return (
    <button
      type="button"
      className={`icon-button button-quiet${pressed ? ' icon-button-on' : ''}${reason === null ? '' : ' button-blocked'}`}
      aria-label={label}
      title={reason ?? label}
      {...(pressed === undefined ? {} : { 'aria-pressed': pressed })}
      {...(reason === null ? {} : { 'aria-disabled': true, 'aria-description': reason })}
      // A browser clicks again and again while Enter is held.
      onKeyDown={(event) => event.repeat && event.key === 'Enter' && event.preventDefault()}
      onClick={({ detail }) => reason === null && !isStrayClick({ pointerType: detail > 0 ? 'mouse' : 'keyboard' }) && onPress?.()}
    >
      <Icon size={16} aria-hidden="true" />
    </button>
  );
}

function ariaProps(rest: Common, reason: string | null, reasonId: string): ButtonProps {
  const blocked = reason !== null;
  return {
    ...(rest.onPress ? { onPress: (press) => !blocked && !rest.busy && !isStrayClick(press) && rest.onPress?.() } : {}),
    ...(blocked ? { 'aria-disabled': true, 'aria-describedby': reasonId } : {}),
    ...(rest['aria-expanded'] === undefined ? {} : { 'aria-expanded': rest['aria-expanded'] }),
    ...(rest['aria-haspopup'] === undefined ? {} : { 'aria-haspopup': rest['aria-haspopup'] }),
    ...(rest.busy ? { 'aria-busy': true } : {}),
    ...(rest.autoFocus ? { autoFocus: true } : {}),
    ...(rest.slot === undefined ? {} : { slot: rest.slot }),
    // A blocked submit button must not send the form either.
    type: blocked || rest.busy ? 'button' : (rest.type ?? 'button'),
  };
}

function classes(base: string, kind: ButtonKind, reason: string | null, rest: Common): string {
  return [base, `button-${kind}`, reason === null ? '' : 'button-blocked', rest.busy ? 'button-busy' : '', rest.className ?? '']
    .filter(Boolean)
    .join(' ');
}
