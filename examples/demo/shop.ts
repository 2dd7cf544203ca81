// The app of the demo: a shop instrumented with the OpenTelemetry JS SDK. It keeps a list of what the agent said yes to,
// which is what the demo holds the agent to. What was refused, or not answered, is sent again.

import type { Attributes } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  type ReadableSpan,
  type SpanExporter,
} from '@opentelemetry/sdk-trace-base';

/** ExportResultCode.SUCCESS of the SDK. */
const SUCCESS = 0;
const RESEND_AFTER_MS = 300;

export class Shop {
  sent = 0;
  readonly acknowledged = new Set<string>();
  readonly #provider: BasicTracerProvider;
  readonly #exporter: SpanExporter;
  #timer: NodeJS.Timeout | undefined;

  constructor(url: string) {
    this.#exporter = new OTLPTraceExporter({ url: `${url}/v1/traces`, timeoutMillis: 2000 });
    const recording: SpanExporter = {
      export: (spans, done) => {
        this.#send(spans);
        done({ code: SUCCESS });
      },
      shutdown: () => this.#exporter.shutdown(),
    };
    this.#provider = new BasicTracerProvider({
      resource: resourceFromAttributes({ 'service.name': 'demo-shop' }),
      spanProcessors: [
        new BatchSpanProcessor(recording, { scheduledDelayMillis: 100, maxExportBatchSize: 64 }),
      ],
    });
  }

  open(): void {
    const tracer = this.#provider.getTracer('till');
    this.#timer = setInterval(() => {
      for (let customer = 0; customer < 5; customer++) {
        const attributes: Attributes = { 'order.id': this.sent, 'order.items': customer + 1 };
        tracer.startSpan('sell', { attributes }).end();
        this.sent += 1;
      }
    }, 25);
  }

  /** Sells nothing more; what is not acknowledged yet is still being sent. */
  async closeDoors(): Promise<void> {
    clearInterval(this.#timer);
    await this.#provider.forceFlush();
  }

  get allAcknowledged(): boolean {
    return this.acknowledged.size === this.sent;
  }

  #send(spans: ReadableSpan[]): void {
    this.#exporter.export(spans, (result) => {
      if (result.code === SUCCESS) for (const span of spans) this.acknowledged.add(span.spanContext().spanId);
      else setTimeout(() => this.#send(spans), RESEND_AFTER_MS);
    });
  }
}
