import { consoleWords } from '../../words/console.ts';

type Props = { grabbed: boolean; onLeave: () => void };

/** The one thing beside the picture in a kiosk: how to get the keyboard back, and how to get out. */
export function KioskExit({ grabbed, onLeave }: Props) {
  return (
    <p className="console-kiosk-exit">
      {grabbed && <span>{consoleWords.kioskGrabbed}</span>}
      <button type="button" className="console-kiosk-leave" onClick={onLeave}>
        {consoleWords.kioskLeave}
      </button>
    </p>
  );
}
