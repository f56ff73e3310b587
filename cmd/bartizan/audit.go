package main

import (
	"fmt"
	"os"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"

	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/registry/client"
)

func newAudit() *cobra.Command {
	cmd := &cobra.Command{Use: "audit", Short: "Search the audit log", Args: cobra.NoArgs}
	cmd.AddCommand(newAuditSearch())
	return cmd
}

func newAuditSearch() *cobra.Command {
	var q audit.Query
	var since time.Duration
	var dir string
	cmd := &cobra.Command{
		Use:   "search",
		Short: "Print OCSF events, oldest first",
		Long:  "Asks the registry, or reads a log folder directly with --dir.",
		Example: "  bartizan audit search --reason drift --since 24h\n" +
			"  bartizan audit search --dir data/audit --id 01996f3e-…",
		Args: cobra.NoArgs,
	}
	format := outputFlag(cmd, "table", "json", "jsonl")
	connect := registryFlags(cmd)
	f := cmd.Flags()
	f.DurationVar(&since, "since", 0, "only the last so long")
	f.StringVar(&q.Text, "text", "", "anywhere in the record")
	f.StringVar(&q.Server, "server", "", "server name")
	f.StringVar(&q.Entry, "entry", "", "tool, prompt or resource")
	f.StringVar(&q.Principal, "principal", "", "who")
	f.StringVar(&q.Reason, "reason", "", "reason of a refusal")
	f.StringVar(&q.ID, "id", "", "audit id, as a refusal names it")
	f.IntVar(&q.Class, "class", 0, "OCSF class_uid (with --dir)")
	f.IntVar(&q.Limit, "limit", 100, "the newest so many")
	f.StringVar(&dir, "dir", "", "read this log folder instead of asking the registry")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := checkFormat(*format, "table", "json", "jsonl"); err != nil {
			return err
		}
		if since > 0 {
			q.Since = time.Now().Add(-since)
		}
		var events []jsontext.Value
		if dir != "" {
			if _, err := os.Stat(dir); err != nil { // no log is not an empty log
				return err
			}
			records, err := audit.Search(cmd.Context(), dir, q)
			if err != nil {
				return err
			}
			for _, r := range records {
				events = append(events, r.Raw)
			}
		} else {
			c, err := connect()
			if err != nil {
				return err
			}
			if events, err = c.SearchAudit(cmd.Context(), client.AuditQuery{
				Since: q.Since, Text: q.Text, Server: q.Server, Entry: q.Entry,
				Principal: q.Principal, Reason: q.Reason, ID: q.ID, Limit: q.Limit,
			}); err != nil {
				return err
			}
		}
		return printEvents(cmd, events, *format)
	}
	return cmd
}

func printEvents(cmd *cobra.Command, events []jsontext.Value, format string) error {
	out := cmd.OutOrStdout()
	switch format {
	case "json":
		if events == nil {
			events = []jsontext.Value{}
		}
		return printJSON(out, events)
	case "jsonl":
		for _, e := range events {
			if _, err := fmt.Fprintf(out, "%s\n", e); err != nil {
				return err
			}
		}
		return nil
	}
	var rows [][]string
	for _, raw := range events {
		var e audit.Event
		if err := json.Unmarshal(raw, &e); err != nil {
			return err
		}
		who := ""
		if e.Actor != nil && e.Actor.User != nil {
			who = e.Actor.User.Name
		}
		rows = append(rows, []string{time.UnixMilli(e.Time).UTC().Format(time.RFC3339), e.ClassName, e.Status, e.StatusCode, who, e.Message, e.Metadata.UID})
	}
	return table(out, []string{"TIME", "CLASS", "STATUS", "REASON", "WHO", "WHAT", "ID"}, rows)
}
