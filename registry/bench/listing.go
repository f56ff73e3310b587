package main

import (
	"fmt"
	"math/rand/v2"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// tools is how many the server lists.
const tools = 14

func toolName(i int) string { return things[i%len(things)] + "_" + colours[i%len(colours)] }

// listed is the server's list of tools, as it answers tools/list: each with a
// description, four parameters, a schema of its result and hints.
func listed() ([]byte, error) {
	r := rand.New(rand.NewPCG(14, 14))
	var all []jsontext.Value
	for i := range tools {
		properties := map[string]any{}
		for _, name := range words[i : i+4] {
			properties[name+"_name"] = map[string]any{"type": "string", "description": prose(r, 12), "maxLength": 200}
		}
		b, err := json.Marshal(map[string]any{
			"name": toolName(i), "title": prose(r, 3), "description": prose(r, 40),
			"inputSchema":  map[string]any{"type": "object", "properties": properties, "required": []string{words[i] + "_name"}, "additionalProperties": false},
			"outputSchema": map[string]any{"type": "object", "properties": map[string]any{"depth": map[string]any{"type": "number", "description": prose(r, 8)}}},
			"annotations":  map[string]any{"readOnlyHint": true, "openWorldHint": false},
		}, json.Deterministic(true))
		if err != nil {
			return nil, err
		}
		all = append(all, b)
	}
	return json.Marshal(map[string]any{"tools": all})
}

// serverJSON describes one version of it.
func serverJSON(version string) []byte {
	return fmt.Appendf(nil, `{"$schema":"https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json","name":"io.github.acme/harbour","description":"Berths and tides","version":"%s","repository":{"url":"https://example.com/acme/harbour","source":"git"},"packages":[{"registryType":"npm","identifier":"@acme/harbour","version":"%[1]s","transport":{"type":"stdio"}}]}`, version)
}
