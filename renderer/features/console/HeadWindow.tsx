import { type ReactNode, useEffect, useRef, useState } from 'react';
import { createPortal, flushSync } from 'react-dom';
import { type HeadWindow as HeadWindowId, headWindowName } from '../../../contract/shell.ts';
import { useSettings } from '../../state/store.ts';
import { followClicks } from '../../ui/stray-click.ts';

type Props = {
  id: HeadWindowId;
  title: string;
  /** It was closed, or could not be opened: what is in it is to be shown elsewhere. */
  onGone: () => void;
  children: ReactNode;
};

/**
 * A window of this page's own process, with `children` in it: they are elements of this page, so that nothing of what they show is sent or copied
 * anywhere (docs/adr/0013-several-monitors.md). It closes with this component.
 */
export function HeadWindow({ id, title, onGone, children }: Props) {
  const [root, setRoot] = useState<HTMLElement | null>(null);
  const name = headWindowName(id);
  const { theme } = useSettings();
  const gone = useRef(onGone);
  gone.current = onGone;

  useEffect(() => {
    const opened = window.open('about:blank', name);
    if (!opened) {
      gone.current();
      return;
    }
    const furnished = furnish(opened.document);
    followClicks(opened);
    let over = false;
    // Whoever closes it: what is in it leaves before its document ends, since a canvas would end with that.
    const leaves = () => {
      if (over) return;
      over = true;
      flushSync(() => {
        setRoot(null);
        gone.current();
      });
    };
    opened.addEventListener('pagehide', leaves);
    setRoot(furnished);
    return () => {
      setRoot(null);
      if (over) return;
      over = true;
      opened.removeEventListener('pagehide', leaves);
      opened.close();
    };
  }, [name]);

  useEffect(() => {
    if (!root) return;
    const { documentElement } = root.ownerDocument;
    if (theme === 'system') delete documentElement.dataset.theme;
    else documentElement.dataset.theme = theme;
  }, [root, theme]);
  useEffect(() => {
    if (root) root.ownerDocument.title = title;
  }, [root, title]);

  return root && createPortal(children, root);
}

/** Gives an empty document the looks of this page; the element is where everything goes. */
function furnish(empty: Document): HTMLElement {
  // Without it the document would be laid out as those of the last century.
  empty.open();
  empty.write('<!doctype html>');
  empty.close();
  empty.documentElement.lang = document.documentElement.lang;
  for (const looks of document.querySelectorAll('meta[name="color-scheme"], link[rel="stylesheet"], style')) {
    const copy = empty.importNode(looks, true);
    // The document has no address that others could be relative to.
    if (looks instanceof HTMLLinkElement) copy.setAttribute('href', looks.href);
    empty.head.append(copy);
  }
  const root = empty.createElement('div');
  root.className = 'console-head-window';
  empty.body.append(root);
  return root;
}
