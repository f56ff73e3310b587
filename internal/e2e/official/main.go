// Command official reads an answer of a registry with the Go packages of the
// official one, strictly: a member that they do not know, or one of another
// type, is an error. It writes what they read.
//
//	official list|server < answer.json
package main

import (
	"encoding/json"
	"fmt"
	"os"

	apiv0 "github.com/modelcontextprotocol/registry/pkg/api/v0"
	"github.com/modelcontextprotocol/registry/pkg/model"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("official list|server")
	}
	dec := json.NewDecoder(os.Stdin)
	dec.DisallowUnknownFields()
	switch args[0] {
	case "list":
		var list struct {
			Servers  []apiv0.ServerResponse `json:"servers"`
			Metadata apiv0.Metadata         `json:"metadata"`
		}
		if err := dec.Decode(&list); err != nil {
			return err
		}
		if list.Metadata.Count != len(list.Servers) {
			return fmt.Errorf("count is %d, and there are %d", list.Metadata.Count, len(list.Servers))
		}
		for _, s := range list.Servers {
			if err := print(s); err != nil {
				return err
			}
		}
		return nil
	case "server":
		var server apiv0.ServerResponse
		if err := dec.Decode(&server); err != nil {
			return err
		}
		return print(server)
	}
	return fmt.Errorf("unknown shape %q", args[0])
}

// print writes one line: name, version, status, message, whether it is the
// latest.
func print(s apiv0.ServerResponse) error {
	o := s.Meta.Official
	if o == nil {
		return fmt.Errorf("%s has no official metadata", s.Server.Name)
	}
	switch o.Status {
	case model.StatusActive, model.StatusDeprecated, model.StatusDeleted:
	default:
		return fmt.Errorf("status %q", o.Status)
	}
	if o.PublishedAt.IsZero() || o.UpdatedAt.IsZero() || o.StatusChangedAt.IsZero() {
		return fmt.Errorf("a time is missing: %+v", o)
	}
	message := ""
	if o.StatusMessage != nil {
		message = *o.StatusMessage
	}
	_, err := fmt.Printf("%s\t%s\t%s\t%s\t%v\n", s.Server.Name, s.Server.Version, o.Status, message, o.IsLatest)
	return err
}
