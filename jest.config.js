// Node runs the TypeScript as it is, so jest transforms nothing: what is tested is what runs.
import path from 'node:path';

// Tests start agents by the dozen: each would strip and compile the same files again, which is half of what a start costs.
process.env.NODE_COMPILE_CACHE ??= path.join(import.meta.dirname, 'node_modules/.cache/compile');

export default {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {},
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  testTimeout: 60_000,
};
