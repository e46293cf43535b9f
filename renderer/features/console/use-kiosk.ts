import { useEffect, useRef, useState } from 'react';
import { shell } from '../../state/bridge.ts';

/**
 * Full screen with the guest alone. It ends with the full screen, whoever ends that; `fullScreen` comes from the shell, and comes a moment
 * after it was asked for.
 */
export function useKiosk(fullScreen: boolean): [boolean, (on: boolean) => void] {
  const [wanted, setWanted] = useState(false);
  const was = useRef(fullScreen);
  useEffect(() => {
    if (was.current && !fullScreen) setWanted(false);
    was.current = fullScreen;
  }, [fullScreen]);
  const set = (on: boolean) => {
    setWanted(on);
    void shell('shell.setFullScreen', { on });
  };
  return [wanted && fullScreen, set];
}
