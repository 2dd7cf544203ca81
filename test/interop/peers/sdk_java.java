import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.logs.Severity;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.exporter.internal.marshal.Marshaler;
import io.opentelemetry.exporter.internal.otlp.logs.LogsRequestMarshaler;
import io.opentelemetry.exporter.internal.otlp.metrics.MetricsRequestMarshaler;
import io.opentelemetry.exporter.internal.otlp.traces.TraceRequestMarshaler;
import io.opentelemetry.exporter.otlp.http.logs.OtlpHttpLogRecordExporter;
import io.opentelemetry.exporter.otlp.http.metrics.OtlpHttpMetricExporter;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.exporter.otlp.logs.OtlpGrpcLogRecordExporter;
import io.opentelemetry.exporter.otlp.metrics.OtlpGrpcMetricExporter;
import io.opentelemetry.exporter.otlp.trace.OtlpGrpcSpanExporter;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.logs.SdkLoggerProvider;
import io.opentelemetry.sdk.logs.data.LogRecordData;
import io.opentelemetry.sdk.logs.export.BatchLogRecordProcessor;
import io.opentelemetry.sdk.logs.export.LogRecordExporter;
import io.opentelemetry.sdk.metrics.InstrumentType;
import io.opentelemetry.sdk.metrics.SdkMeterProvider;
import io.opentelemetry.sdk.metrics.data.AggregationTemporality;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.metrics.export.MetricExporter;
import io.opentelemetry.sdk.metrics.export.PeriodicMetricReader;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Base64;
import java.util.Collection;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Sends the three signals with the OpenTelemetry SDK, and prints what its own encoders make of what it sends: a line per
 * request, signal and protobuf in base64. Arguments: http or grpc, none or gzip, the endpoint, a mark for all items.
 */
class SdkJava {
  static final int ITEMS = 200;
  static final AtomicBoolean failed = new AtomicBoolean();

  public static void main(String[] args) {
    boolean http = args[0].equals("http");
    String compression = args[1];
    String endpoint = http ? args[2] : "http://" + args[2];
    String mark = args[3];
    Resource resource =
        Resource.create(
            Attributes.builder().put("service.name", mark).put("host.cores", 9007199254740993L).build());
    SpanExporter spans =
        http
            ? OtlpHttpSpanExporter.builder().setEndpoint(endpoint + "/v1/traces").setCompression(compression).build()
            : OtlpGrpcSpanExporter.builder().setEndpoint(endpoint).setCompression(compression).build();
    MetricExporter metrics =
        http
            ? OtlpHttpMetricExporter.builder().setEndpoint(endpoint + "/v1/metrics").setCompression(compression).build()
            : OtlpGrpcMetricExporter.builder().setEndpoint(endpoint).setCompression(compression).build();
    LogRecordExporter records =
        http
            ? OtlpHttpLogRecordExporter.builder().setEndpoint(endpoint + "/v1/logs").setCompression(compression).build()
            : OtlpGrpcLogRecordExporter.builder().setEndpoint(endpoint).setCompression(compression).build();
    trace(mark, resource, spans);
    measure(mark, resource, metrics);
    log(mark, resource, records);
    System.exit(failed.get() ? 1 : 0);
  }

  static void trace(String mark, Resource resource, SpanExporter exporter) {
    SdkTracerProvider provider =
        SdkTracerProvider.builder()
            .setResource(resource)
            .addSpanProcessor(BatchSpanProcessor.builder(new Spans(exporter)).build())
            .build();
    Tracer tracer = provider.get("till", "1.2");
    for (int index = 0; index < ITEMS; index++) {
      Span outer = tracer.spanBuilder("pay " + mark + " " + index).setSpanKind(SpanKind.SERVER).startSpan();
      outer.setAttribute("order.id", index).setAttribute("order.total", 12.5).setAttribute("paid", true);
      Span inner =
          tracer
              .spanBuilder("ask " + mark + " " + index)
              .setParent(Context.root().with(outer))
              .addLink(outer.getSpanContext())
              .startSpan();
      inner.setAttribute(AttributeKey.stringArrayKey("items"), java.util.List.of("bread", "milk"));
      inner.addEvent("authorised", Attributes.of(AttributeKey.stringKey("terminal"), "T7"));
      inner.setStatus(StatusCode.ERROR, "größer 買い物");
      inner.end();
      outer.end();
    }
    provider.shutdown().join(30, TimeUnit.SECONDS);
  }

  static void measure(String mark, Resource resource, MetricExporter exporter) {
    SdkMeterProvider provider =
        SdkMeterProvider.builder()
            .setResource(resource)
            .registerMetricReader(
                PeriodicMetricReader.builder(new Metrics(exporter)).setInterval(Duration.ofHours(1)).build())
            .build();
    var meter = provider.get("stock");
    var sold = meter.counterBuilder("sold_" + mark).setUnit("{item}").build();
    var time = meter.histogramBuilder("scan_time_" + mark).setUnit("ms").build();
    var level = meter.upDownCounterBuilder("level_" + mark).ofDoubles().build();
    for (int index = 0; index < ITEMS; index++) {
      sold.add(index, Attributes.of(AttributeKey.stringKey("shelf"), "A" + index % 5));
      time.record(index);
      level.add(-index / 2.0);
    }
    provider.shutdown().join(30, TimeUnit.SECONDS);
  }

  static void log(String mark, Resource resource, LogRecordExporter exporter) {
    SdkLoggerProvider provider =
        SdkLoggerProvider.builder()
            .setResource(resource)
            .addLogRecordProcessor(BatchLogRecordProcessor.builder(new Records(exporter)).build())
            .build();
    var logger = provider.loggerBuilder("door").build();
    for (int index = 0; index < ITEMS; index++) {
      logger
          .logRecordBuilder()
          .setSeverity(Severity.WARN)
          .setSeverityText("WARN")
          .setBody("opened " + mark + " " + index)
          .setAttribute(AttributeKey.longKey("door.id"), (long) index)
          .emit();
    }
    provider.shutdown().join(30, TimeUnit.SECONDS);
  }

  static void print(String signal, Marshaler request) {
    try {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      request.writeBinaryTo(bytes);
      System.out.println(signal + " " + Base64.getEncoder().encodeToString(bytes.toByteArray()));
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  static CompletableResultCode watched(String signal, CompletableResultCode result) {
    return result.whenComplete(
        () -> {
          if (result.isSuccess()) return;
          System.err.println(signal + " failed");
          failed.set(true);
        });
  }

  record Spans(SpanExporter to) implements SpanExporter {
    public CompletableResultCode export(Collection<SpanData> given) {
      print("traces", TraceRequestMarshaler.create(given));
      return watched("traces", to.export(given));
    }

    public CompletableResultCode flush() {
      return to.flush();
    }

    public CompletableResultCode shutdown() {
      return to.shutdown();
    }
  }

  record Metrics(MetricExporter to) implements MetricExporter {
    public CompletableResultCode export(Collection<MetricData> given) {
      print("metrics", MetricsRequestMarshaler.create(given));
      return watched("metrics", to.export(given));
    }

    public AggregationTemporality getAggregationTemporality(InstrumentType type) {
      return to.getAggregationTemporality(type);
    }

    public CompletableResultCode flush() {
      return to.flush();
    }

    public CompletableResultCode shutdown() {
      return to.shutdown();
    }
  }

  record Records(LogRecordExporter to) implements LogRecordExporter {
    public CompletableResultCode export(Collection<LogRecordData> given) {
      print("logs", LogsRequestMarshaler.create(given));
      return watched("logs", to.export(given));
    }

    public CompletableResultCode flush() {
      return to.flush();
    }

    public CompletableResultCode shutdown() {
      return to.shutdown();
    }
  }
}
