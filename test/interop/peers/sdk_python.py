"""Sends the three signals with the OpenTelemetry SDK, and prints what its own encoders make of what it sends: a line per
request, signal and protobuf in base64. Arguments: http or grpc, none or gzip, the endpoint, a mark for all items."""

import base64
import logging
import sys

from opentelemetry import trace
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Status, StatusCode

logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
protocol, compression, endpoint, mark = sys.argv[1:]

if protocol == "http":
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    how = Compression.Gzip if compression == "gzip" else Compression.NoCompression

    def made(exporter, signal):
        return exporter(endpoint=f"{endpoint}/v1/{signal}", compression=how)

else:
    import grpc
    from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

    how = grpc.Compression.Gzip if compression == "gzip" else grpc.Compression.NoCompression

    def made(exporter, signal):
        return exporter(endpoint=endpoint, insecure=True, compression=how)


def recorded(exporter, signal, encode):
    """Prints what it passes on; ends the program where it is refused."""
    send = exporter.export

    def export(given, *args, **kwargs):
        print(signal, base64.b64encode(encode(given).SerializeToString()).decode())
        result = send(given, *args, **kwargs)
        if result.name != "SUCCESS":
            print(f"{signal}: {result}", file=sys.stderr)
            failed.append(signal)
        return result

    exporter.export = export
    return exporter


failed = []
resource = Resource.create({"service.name": mark, "host.cores": 2})

tracing = TracerProvider(resource=resource)
tracing.add_span_processor(BatchSpanProcessor(recorded(made(OTLPSpanExporter, "traces"), "traces", encode_spans)))
tracer = tracing.get_tracer("till", "1.2")
for index in range(200):
    with tracer.start_as_current_span(f"pay {mark} {index}", kind=trace.SpanKind.SERVER) as outer:
        outer.set_attributes({"order.id": index, "order.total": 12.5, "paid": True, "items": ["bread", "milk"]})
        with tracer.start_as_current_span(f"ask {mark} {index}", links=[trace.Link(outer.get_span_context())]) as inner:
            inner.add_event("authorised", {"terminal": "T7"})
            inner.set_status(Status(StatusCode.ERROR, "größer"))
tracing.shutdown()

reader = PeriodicExportingMetricReader(
    recorded(made(OTLPMetricExporter, "metrics"), "metrics", encode_metrics), export_interval_millis=3_600_000
)
metering = MeterProvider(resource=resource, metric_readers=[reader])
meter = metering.get_meter("stock")
sold, time, level = (
    meter.create_counter(f"sold_{mark}", unit="{item}"),
    meter.create_histogram(f"scan_time_{mark}", unit="ms"),
    meter.create_up_down_counter(f"level_{mark}"),
)
for index in range(200):
    sold.add(index, {"shelf": f"A{index % 5}"})
    time.record(index)
    level.add(-index / 2)
metering.shutdown()

records = LoggerProvider(resource=resource)
records.add_log_record_processor(BatchLogRecordProcessor(recorded(made(OTLPLogExporter, "logs"), "logs", encode_logs)))
logger = records.get_logger("door")
for index in range(200):
    body = f"opened {mark} {index}" if index % 2 == 0 else {"mark": mark, "index": index}
    logger.emit(
        LogRecord(
            timestamp=1_780_000_000_000_000_000 + index,
            body=body,
            severity_number=SeverityNumber.WARN,
            severity_text="WARN",
            attributes={"door.id": index},
        )
    )
records.shutdown()

sys.exit(1 if failed else 0)
