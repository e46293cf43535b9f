import { TriangleAlert } from 'lucide-react';
import { Component, type ReactNode } from 'react';
import { ProgramText } from '../parts/ProgramText.tsx';
import { Button } from '../ui/Button.tsx';
import { EmptyState } from '../ui/feedback.tsx';
import { words } from '../words/en.ts';

type Props = { children: ReactNode };
type State = { error: Error | null };

/** Keeps the failure of one page to that page. Given a `key` of the address, walking on clears it. */
export class PageBoundary extends Component<Props, State> {
  override state: State = { error: null };

  static getDerivedStateFromError(error: unknown): State {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    return (
      <EmptyState
        icon={TriangleAlert}
        level={1}
        title={words.app.pageFailedTitle}
        actions={
          <Button kind="primary" onPress={() => this.setState({ error: null })}>
            {words.app.pageFailedRetry}
          </Button>
        }
      >
        <div className="stack" role="alert">
          <p>{words.app.pageFailedText}</p>
          <ProgramText text={error.stack ?? error.message} label={words.common.details} />
        </div>
      </EmptyState>
    );
  }
}
