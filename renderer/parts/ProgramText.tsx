import { copyText } from '../state/bridge.ts';
import { CodeBlock, Disclosure } from '../ui/feedback.tsx';
import { words } from '../words/en.ts';

type Props = { text: string; label: string };

/** What a program printed, or what a terminal takes, with a button to copy it. */
export function ProgramText({ text, label }: Props) {
  return <CodeBlock text={text} label={label} copyLabel={words.common.copy} copiedLabel={words.common.copied} onCopy={copyText} />;
}

/** The same on demand, below the words that say what it comes to. */
export function ProgramDetails({ text, label = words.common.details, open = false }: Partial<Props> & { text: string; open?: boolean }) {
  return (
    <Disclosure title={label} open={open}>
      <ProgramText text={text} label={label} />
    </Disclosure>
  );
}
