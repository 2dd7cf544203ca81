// Whether a browser may send what a page of another origin asks it to (Fetch standard, "CORS protocol"). Invariant: only
// origins that the configuration names get a header that says yes; whoever is no browser is not concerned.

import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { CorsConfig } from './config.ts';

/** What a page may always set, as the Collector has it; Origin is the browser's own. */
const ALWAYS_ALLOWED = ['accept', 'accept-language', 'content-type', 'content-language', 'origin'];
/** What the Collector allows as well where nothing is said. */
const ALLOWED_BY_DEFAULT = 'x-requested-with';

export class Cors {
  readonly #origins: readonly OriginPattern[];
  readonly #anyHeader: boolean;
  readonly #headers: ReadonlySet<string>;
  readonly #maxAge_s: number;

  constructor(config: CorsConfig) {
    const named = config.allowed_headers.map((name) => name.toLowerCase());
    this.#origins = config.allowed_origins.map(patternOf);
    this.#anyHeader = named.includes('*');
    this.#headers = new Set([...ALWAYS_ALLOWED, ...(named.length > 0 ? named : [ALLOWED_BY_DEFAULT])]);
    this.#maxAge_s = config.max_age;
  }

  /** Answers a preflight whole, and says so; of any other request puts what the browser needs on its answer. */
  answers(request: IncomingMessage, response: ServerResponse): boolean {
    const { origin } = request.headers;
    const method = request.headers['access-control-request-method'];
    const preflight = request.method === 'OPTIONS' && origin !== undefined && method !== undefined;
    const vary = preflight
      ? 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers'
      : 'Origin';
    response.setHeader('Vary', vary);
    const granted = origin === undefined ? undefined : this.#grant(origin);
    if (!preflight) {
      if (granted) setAll(response, granted);
      return false;
    }
    const asked = request.headers['access-control-request-headers'] ?? '';
    if (granted && method === 'POST' && this.#allows(asked)) {
      setAll(response, granted);
      response.setHeader('Access-Control-Allow-Methods', 'POST');
      if (asked !== '') response.setHeader('Access-Control-Allow-Headers', asked);
      if (this.#maxAge_s > 0) response.setHeader('Access-Control-Max-Age', this.#maxAge_s);
    }
    // Without those headers it is a no.
    response.writeHead(204).end();
    request.resume();
    return true;
  }

  #grant(origin: string): OutgoingHttpHeaders | undefined {
    let any = false;
    for (const { before, behind } of this.#origins) {
      if (before === '' && behind === '') any = true;
      else if (matches(origin, before, behind)) {
        // A beacon is sent with credentials, which a browser permits only for an origin by name.
        return { 'Access-Control-Allow-Origin': origin, 'Access-Control-Allow-Credentials': 'true' };
      }
    }
    return any ? { 'Access-Control-Allow-Origin': '*' } : undefined;
  }

  #allows(asked: string): boolean {
    if (this.#anyHeader) return true;
    const names = asked.split(',').map((name) => name.trim().toLowerCase());
    return names.every((name) => name === '' || this.#headers.has(name));
  }
}

/** An origin with `*` in it is what stands before and behind; one without has no behind. */
interface OriginPattern {
  readonly before: string;
  readonly behind: string | undefined;
}

function patternOf(text: string): OriginPattern {
  const star = text.indexOf('*');
  const lower = text.toLowerCase();
  if (star < 0) return { before: lower, behind: undefined };
  return { before: lower.slice(0, star), behind: lower.slice(star + 1) };
}

function matches(origin: string, before: string, behind: string | undefined): boolean {
  const lower = origin.toLowerCase();
  if (behind === undefined) return lower === before;
  return lower.length >= before.length + behind.length && lower.startsWith(before) && lower.endsWith(behind);
}

function setAll(response: ServerResponse, headers: OutgoingHttpHeaders): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value!);
}
