/** Where the log is kept when `--data` says nothing else. */
export const DEFAULT_DIRECTORY = './.dreamfold';
