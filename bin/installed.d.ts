// The types of installed.js, for the tests; it is plain JavaScript on purpose.

export function missingPackages(root: string, needed?: string): readonly string[];
