/**
 * Whether `./test` has prepared the app already. Suites that run beside each other then leave it alone: bundles that are written anew under
 * another suite's engine are no good to it.
 */
const preparedVariable = 'GUESTHOUSE_TEST_PREPARED';

/** For the environment of a suite that finds everything there. */
export const preparedEnvironment = { [preparedVariable]: '1' };

export const isPrepared = (): boolean => process.env[preparedVariable] === '1';
