package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"

	"github.com/bartizan-mcp/bartizan/engine/message"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/listing"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// maxScanInput bounds one document that the command line reads.
const maxScanInput = 64 << 20

// readInput reads a file, or standard input for "-", up to maxScanInput.
func readInput(cmd *cobra.Command, name string) ([]byte, error) {
	if name == "-" {
		return readBounded(cmd.InOrStdin(), name)
	}
	return readScanFile(name)
}

func readScanFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readBounded(f, name)
}

func readBounded(r io.Reader, name string) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, maxScanInput+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxScanInput {
		return nil, fmt.Errorf("%s: more than %d bytes", name, maxScanInput)
	}
	return body, nil
}

// phaseOf guesses which traffic a document is: a JSON-RPC request, a response
// (of a list, or of anything else), or a capture or single tool. What a server
// sends by itself is read like what it answers.
func phaseOf(raw []byte) message.Phase {
	m, err := jsonrpc.Parse(raw, jsonrpc.Limits{Bytes: maxScanInput})
	if err != nil {
		return message.PhaseListing
	}
	if m.Kind != jsonrpc.Response {
		if method, ok := protocol.Lookup(m.Method); ok && method.Direction == protocol.ServerToClient {
			return message.PhaseResult
		}
		return message.PhaseRequest
	}
	for _, list := range []string{"tools", "prompts", "resources", "resourceTemplates"} {
		if v, _, _, err := jsonrpc.Get(m.Result, jsontext.Pointer("/"+list)); err == nil && v.Kind() == '[' {
			return message.PhaseListing
		}
	}
	return message.PhaseResult
}

// readMessages turns one document into what the scanners examine: one message,
// or one for each protocol era of a capture.
func readMessages(phase message.Phase, server string, raw []byte) ([]*message.Message, error) {
	if phase == message.PhaseListing {
		return readListing(server, raw)
	}
	parsed, err := jsonrpc.Parse(raw, jsonrpc.Limits{Bytes: maxScanInput})
	if err != nil {
		return nil, err
	}
	var m *message.Message
	switch phase {
	case message.PhaseRequest:
		if parsed.Kind == jsonrpc.Response {
			return nil, errors.New("a response where a request is wanted")
		}
		m, err = message.FromRequest(server, parsed)
	case message.PhaseResult, message.PhasePrompt, message.PhaseResource:
		methods := map[message.Phase]string{
			message.PhaseResult:   protocol.MethodToolsCall,
			message.PhasePrompt:   protocol.MethodPromptsGet,
			message.PhaseResource: protocol.MethodResourcesRead,
		}
		m, err = message.FromResult(server, methods[phase], "", parsed)
	default:
		return nil, usageError("unknown phase %q", phase)
	}
	if err != nil {
		return nil, err
	}
	return []*message.Message{m}, nil
}

func readListing(server string, raw []byte) ([]*message.Message, error) {
	if m, err := message.FromTool(server, raw); err == nil && isTool(raw) {
		return []*message.Message{m}, nil
	}
	capture, err := listing.ParseCapture(raw)
	if err != nil {
		return nil, err
	}
	if server == "" {
		server = capture.Server
	}
	var all []*message.Message
	for i := range capture.Listings {
		m, err := message.FromListing(server, &capture.Listings[i])
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, nil
}

// isTool tells a single tool object from a capture or a list.
func isTool(raw []byte) bool {
	members, err := jsonrpc.Members(raw)
	if err != nil {
		return false
	}
	named := false
	for _, m := range members {
		switch m.Name {
		case "name":
			named = m.Value.Kind() == '"'
		case "tools", "result", "initialize", "bartizanCapture":
			return false
		}
	}
	return named
}
