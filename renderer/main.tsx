import { createRoot } from 'react-dom/client';
import { z } from 'zod';
import './ui/tokens.css';
import './ui/base.css';
import { App } from './app/App.tsx';
import { followEngine } from './state/engine-feed.ts';
import { followTheme } from './state/theme.ts';

// The content security policy forbids eval, and zod need not try.
z.config({ jitless: true });

followTheme();
followEngine();

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root.');
createRoot(root).render(<App />);
