import { useAsking } from '../state/ask.ts';
import { ConfirmDialog } from '../ui/Dialog.tsx';
import { words } from '../words/en.ts';

/** The question that `state/ask.ts` asks, when there is one. */
export function AskDialog() {
  const asking = useAsking((state) => state.asking);
  if (!asking) return null;
  const { question, answer } = asking;
  return (
    <ConfirmDialog
      open
      title={question.title}
      confirmLabel={question.confirmLabel}
      cancelLabel={words.common.cancel}
      closeLabel={words.common.close}
      {...(question.typeName === undefined
        ? {}
        : { typeToConfirm: { text: question.typeName, label: words.trash.purgeType(question.typeName), reason: words.trash.purgeReason } })}
      onConfirm={() => answer(true)}
      onClose={() => answer(false)}
    >
      <p>{question.text}</p>
    </ConfirmDialog>
  );
}
