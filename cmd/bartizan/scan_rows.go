package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/engine/message"
	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
)

// row is one labelled case of a detection corpus. Members that describe where
// it came from are not read.
type row struct {
	ID        string         `json:"id"`
	Kind      string         `json:"kind"`
	Server    string         `json:"server"`
	Tool      jsontext.Value `json:"tool"`
	Arguments jsontext.Value `json:"arguments"`
	Content   *string        `json:"content"`
	Context   []struct {
		Server string         `json:"server"`
		Tool   jsontext.Value `json:"tool"`
	} `json:"context"`
	Steps []rowStep `json:"steps"`
}

// scanRows answers every line with one line, in order. An unreadable line is
// blocked with a failure, as a message that cannot be parsed would be.
func scanRows(cmd *cobra.Command, set *engine.Live, name string) error {
	in := cmd.InOrStdin()
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	lines := bufio.NewReaderSize(in, 1<<20)
	out := bufio.NewWriter(cmd.OutOrStdout())
	err := answerRows(cmd.Context(), set, lines, out)
	return errors.Join(err, out.Flush())
}

func answerRows(ctx context.Context, set *engine.Live, lines *bufio.Reader, out *bufio.Writer) error {
	for {
		line, err := readLine(lines, maxScanInput)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, errLongRow):
			err = printLine(out, unreadable(nil, err))
		case err == nil:
			err = printLine(out, scanRow(ctx, set, line))
		}
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if lines.Buffered() == 0 { // whoever writes the rows may wait for the answers
			if err := out.Flush(); err != nil {
				return err
			}
		}
	}
}

// errLongRow is a line over the limit. It is passed over, and the next is read.
var errLongRow = fmt.Errorf("more than %d bytes", maxScanInput)

// readLine returns the next line without its end, io.EOF after the last.
func readLine(r *bufio.Reader, limit int) ([]byte, error) {
	var line []byte
	long := false
	for {
		part, more, err := r.ReadLine()
		if err != nil {
			return nil, err
		}
		if long = long || len(line)+len(part) > limit; !long {
			line = append(line, part...)
		}
		switch {
		case more:
		case long:
			return nil, errLongRow
		default:
			return line, nil
		}
	}
}

func scanRow(ctx context.Context, set *engine.Live, line []byte) scanned {
	result := scanned{Action: engine.ActionAllow, Findings: []engine.Finding{}, Failures: []engine.Failure{}}
	var r row
	if err := json.Unmarshal(line, &r); err != nil {
		return unreadable(line, err)
	}
	result.ID = &r.ID
	if r.Kind == "session" {
		steps, err := r.session()
		if err != nil {
			return unreadable(line, err)
		}
		scanSession(ctx, set, steps, &result)
		return result
	}
	m, err := r.message()
	if err != nil {
		return unreadable(line, err)
	}
	result.add(set.Scan(ctx, m))
	return result
}

func unreadable(line []byte, err error) scanned {
	var named struct {
		ID string `json:"id"`
	}
	_ = json.Unmarshal(line, &named, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	return scanned{
		ID: &named.ID, Action: engine.ActionBlock, Findings: []engine.Finding{},
		Failures: []engine.Failure{{Scanner: "host", Kind: engine.FailureRefused, Detail: "unreadable row: " + err.Error()}},
	}
}

// message is what the scanners would have seen of the row on the wire.
func (r row) message() (*message.Message, error) {
	tool := toolName(r.Tool)
	switch r.Kind {
	case "listing":
		if r.Tool.Kind() != '{' {
			return nil, errors.New("a listing without a tool")
		}
		m, err := message.FromTool(r.Server, r.Tool)
		if err != nil {
			return nil, err
		}
		for _, c := range r.Context {
			entry, err := message.ContextOf(c.Server, fingerprint.KindTool, c.Tool)
			if err != nil {
				return nil, err
			}
			m.Context = append(m.Context, entry)
		}
		return m, nil
	case "call":
		return message.FromArguments(r.Server, tool, r.Arguments)
	case "result":
		if r.Content == nil {
			return nil, errors.New("a result without content")
		}
		return message.FromContent(r.Server, tool, *r.Content)
	}
	return nil, fmt.Errorf("unknown kind %q", r.Kind)
}

func toolName(tool jsontext.Value) string {
	var t struct {
		Name string `json:"name"`
	}
	if len(tool) > 0 {
		_ = json.Unmarshal(tool, &t)
	}
	return t.Name
}
