// Reads OTLP JSON lines from a file with the Collector's own unmarshalers, as its otlpjsonfile receiver does, and prints each
// request as its signal and its protobuf in base64.
package main

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"log"
	"os"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

const lineBytesMax = 64 << 20

func main() {
	file, err := os.Open(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, lineBytesMax)
	for lines.Scan() {
		signal, request, err := read(lines.Bytes())
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(signal, base64.StdEncoding.EncodeToString(request))
	}
	if err := lines.Err(); err != nil {
		log.Fatal(err)
	}
}

// The signal is the one that finds something in the line.
func read(line []byte) (string, []byte, error) {
	traces, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(line)
	if err == nil && traces.ResourceSpans().Len() > 0 {
		request, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(traces)
		return "traces", request, err
	}
	metrics, err := (&pmetric.JSONUnmarshaler{}).UnmarshalMetrics(line)
	if err == nil && metrics.ResourceMetrics().Len() > 0 {
		request, err := (&pmetric.ProtoMarshaler{}).MarshalMetrics(metrics)
		return "metrics", request, err
	}
	logs, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(line)
	if err != nil {
		return "", nil, err
	}
	request, err := (&plog.ProtoMarshaler{}).MarshalLogs(logs)
	return "logs", request, err
}
