/** Runs in every worker of the end-to-end tests before its test files. */
import { takeDisplay } from './displays.ts';

takeDisplay(Number(process.env.VITEST_POOL_ID ?? 1));
