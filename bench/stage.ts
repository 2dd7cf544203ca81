// The processes of one measurement: the contestant, its load, its backends. Invariant: `clear` leaves none of them behind.

import { freePorts, Generator, type Running, Sink, SyslogSender, startContestant } from './children.ts';
import type { Contestant, Setup, SyslogSetup } from './contestants/contestant.ts';

export class Stage {
  readonly contestant: Contestant;
  readonly directory: string;
  readonly #logTo: number;
  readonly #toClear: (() => unknown)[] = [];

  /** @param logTo file descriptor for what the contestant says */
  constructor(contestant: Contestant, directory: string, logTo: number) {
    this.contestant = contestant;
    this.directory = directory;
    this.#logTo = logTo;
  }

  sink(): Sink {
    return this.#until(new Sink(), (sink) => sink.stop());
  }

  generator(): Generator {
    return this.#until(new Generator(), (generator) => generator.stop());
  }

  syslogSender(): SyslogSender {
    return this.#until(new SyslogSender(), (sender) => sender.stop());
  }

  async start(setup: Pick<Setup, 'backends' | 'gzip' | 'merge'>) {
    const [httpPort, grpcPort] = (await freePorts(2)) as [number, number];
    const { otlp } = this.contestant;
    if (!otlp) throw new Error('it takes no OTLP');
    const command = otlp({ ...setup, directory: this.directory, httpPort, grpcPort });
    const urls = { http: `http://127.0.0.1:${httpPort}`, grpc: `http://127.0.0.1:${grpcPort}` };
    return { ...(await this.#run(command, urls.http)), urls };
  }

  async startRelay(out: SyslogSetup['out']) {
    const [port] = (await freePorts(1)) as [number];
    const { syslog } = this.contestant;
    if (!syslog) throw new Error('it takes no syslog');
    const command = syslog({ directory: this.directory, port, out });
    return { ...(await this.#run(command, `tcp://127.0.0.1:${port}`)), port };
  }

  async clear(): Promise<void> {
    for (const end of this.#toClear.reverse()) await end();
  }

  async #run(command: Parameters<typeof startContestant>[0], url: string): Promise<Running> {
    return this.#until(await startContestant(command, url, this.#logTo), (running) => running.kill());
  }

  #until<T>(started: T, end: (started: T) => unknown): T {
    this.#toClear.push(() => end(started));
    return started;
  }
}
