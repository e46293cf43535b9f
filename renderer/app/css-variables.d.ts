/** React's `style` takes our tokens too. */
import 'react';

declare module 'react' {
  interface CSSProperties {
    [token: `--${string}`]: string | number | undefined;
  }
}
