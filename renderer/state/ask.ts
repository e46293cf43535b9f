/** One question at a time, before something that cannot be undone. Drawn by `app/AskDialog.tsx`. */
import { create } from 'zustand';

export type Question = {
  title: string;
  /** What is lost. */
  text: string;
  confirmLabel: string;
  /** Must be typed before the button works. */
  typeName?: string;
};

type Asking = { question: Question; answer: (yes: boolean) => void };

export const useAsking = create<{ asking: Asking | null }>()(() => ({ asking: null }));

/** Asks, and says whether the answer was yes. A question that is open is answered with no. */
export function ask(question: Question): Promise<boolean> {
  useAsking.getState().asking?.answer(false);
  return new Promise((resolve) => {
    const answer = (yes: boolean) => {
      useAsking.setState({ asking: null });
      resolve(yes);
    };
    useAsking.setState({ asking: { question, answer } });
  });
}
