// The type of the part of undici that is loaded by its own file (see connection.ts): undici has types for its front door only.
// Its version is pinned, and every test of the exporter sends through this file.

declare module 'undici/lib/dispatcher/agent.js' {
  import { Agent } from 'undici';
  export default Agent;
}
