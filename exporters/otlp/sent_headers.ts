// The headers of an OTLP exporter's requests: those of its configuration, and over them its credentials, which may change
// while it runs. Invariant: they are put together anew only when something has changed.

import type { Secret } from '../../config/secret.ts';
import type { Credentials } from '../credentials.ts';
import { withoutSecrets } from './reason.ts';

const nothing: Readonly<Record<string, Secret>> = {};

/** What goes with one request. */
export interface Sent<Form> {
  readonly headers: Form;
  /** Takes what we sent out of what a backend says. */
  readonly clean: (text: string) => string;
}

export class SentHeaders<Form> {
  readonly #configured: Readonly<Record<string, Secret>>;
  readonly #credentials: Credentials | undefined;
  readonly #form: (own: Readonly<Record<string, string>>) => Form;
  #shown: Readonly<Record<string, Secret>>;
  #sent: Sent<Form>;

  /** @param form the headers as the protocol takes them, given those of ours by names in small letters. */
  constructor(
    configured: Readonly<Record<string, Secret>>,
    credentials: Credentials | undefined,
    form: (own: Readonly<Record<string, string>>) => Form,
  ) {
    this.#configured = configured;
    this.#credentials = credentials;
    this.#form = form;
    this.#shown = credentials?.headers() ?? nothing;
    this.#sent = this.#made();
  }

  now(): Sent<Form> {
    const shown = this.#credentials?.headers() ?? nothing;
    if (shown !== this.#shown) {
      this.#shown = shown;
      this.#sent = this.#made();
    }
    return this.#sent;
  }

  #made(): Sent<Form> {
    const own: Record<string, string> = {};
    for (const [name, value] of Object.entries(this.#configured)) own[name.toLowerCase()] = value.reveal();
    for (const [name, value] of Object.entries(this.#shown)) own[name] = value.reveal();
    return { headers: this.#form(own), clean: withoutSecrets(Object.values(own)) };
  }
}
