package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bartizan-mcp/bartizan/cmd/internal/clients"
)

// connection is what `connect` was asked for.
type connection struct {
	endpoint
	name, project, file, token string
	bridge, dryRun, undo, list bool
	format                     *string
}

func newConnect() *cobra.Command {
	var c connection
	cmd := &cobra.Command{
		Use:   "connect CLIENT",
		Short: "Write this gateway into the configuration of an MCP client",
		Long: "Clients: " + strings.Join(clients.Names(), ", ") + ".\n\n" +
			"Prints what changes as a diff, keeps every other byte of the file, and remembers\n" +
			"what was there. The key is not written into the file: the entry refers to the\n" +
			"environment variable BARTIZAN_TOKEN, asks for it, or starts `bartizan bridge`,\n" +
			"which reads it from a file of yours.",
		Example: "  bartizan connect claude-code --server weather\n" +
			"  bartizan connect vscode --project . --dry-run\n" +
			"  bartizan connect cursor --undo\n" +
			"  bartizan connect --list",
		Args: cobra.MaximumNArgs(1),
	}
	flags := cmd.Flags()
	c.endpoint.flags(cmd)
	flags.StringVar(&c.name, "name", "", "name of the entry (default bartizan, or bartizan-ALIAS)")
	flags.StringVar(&c.project, "project", "", "configure this folder's project instead of the user")
	flags.StringVar(&c.file, "file", "", "configuration file, where the client's is not in its usual place")
	flags.StringVar(&c.token, "token", "", "write this key in plain text instead of referring to $BARTIZAN_TOKEN")
	flags.BoolVar(&c.bridge, "bridge", false, "have the client start `bartizan bridge` even if it can do without")
	flags.BoolVar(&c.dryRun, "dry-run", false, "show the diff and write nothing")
	flags.BoolVar(&c.undo, "undo", false, "take the last change back")
	flags.BoolVar(&c.list, "list", false, "list the clients and what was found of them")
	c.format = outputFlag(cmd, "table", "json")
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return c.run(cmd, args) }
	return cmd
}

func (c *connection) run(cmd *cobra.Command, args []string) error {
	switch {
	case c.project != "" && c.file != "":
		return usageError("either --project or --file")
	case c.list && (c.undo || c.dryRun) || c.undo && c.dryRun:
		return usageError("one of --list, --undo and --dry-run")
	}
	places, err := placesHere()
	if err != nil {
		return err
	}
	if c.list {
		return c.showAll(cmd, places)
	}
	if len(args) != 1 {
		return usageError("name a client: %s", strings.Join(clients.Names(), ", "))
	}
	client, err := clients.Find(args[0])
	if err != nil {
		return usageError("%s: %w", args[0], err)
	}
	file, err := c.fileOf(client, places)
	if err != nil {
		return usageError("%s: %w", client.Title, err)
	}
	backups := clients.Backups{Dir: filepath.Join(places.Config, "bartizan", "undo")}
	if c.undo {
		return c.takeBack(cmd, client, file, backups)
	}
	return c.write(cmd, client, file, places, backups)
}

func placesHere() (clients.Places, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return clients.Places{}, err
	}
	config, err := os.UserConfigDir()
	return clients.Places{OS: runtime.GOOS, Home: home, Config: config, Env: os.Getenv}, err
}

func (c *connection) fileOf(client *clients.Client, places clients.Places) (string, error) {
	switch {
	case c.file != "":
		return c.file, nil
	case c.project != "":
		return client.ProjectFile(c.project)
	}
	return client.UserFile(places), nil
}

// entryName tells the entries of several servers apart.
func (c *connection) entryName() string {
	switch {
	case c.name != "":
		return c.name
	case c.server != "":
		return "bartizan-" + c.server
	}
	return "bartizan"
}

func (c *connection) write(cmd *cobra.Command, client *clients.Client, file string, places clients.Places, backups clients.Backups) error {
	url, err := c.url()
	if err != nil {
		return err
	}
	key := c.token
	if key == "" {
		key = os.Getenv("BARTIZAN_TOKEN")
	}
	tokenFile := filepath.Join(places.Config, "bartizan", "token")
	request := clients.Request{
		File: file, Project: c.project != "", Name: c.entryName(),
		Gateway: clients.Gateway{URL: url, Token: c.token, Bridge: c.bridge},
	}
	bridged := c.bridge || client.Bridged()
	if bridged {
		request.Gateway.Token = ""
		if request.Gateway.Command, err = c.command(tokenFile); err != nil {
			return err
		}
	}
	plan, err := client.Plan(request)
	switch {
	case errors.Is(err, clients.ErrSharedKey):
		return usageError("%w; leave --token out", err)
	case err != nil:
		return err
	}
	if _, err := fmt.Fprint(cmd.OutOrStdout(), printableDiff(plan.Diff(key))); err != nil || c.dryRun {
		return err
	}
	say := cmd.ErrOrStderr()
	if plan.Changed() {
		if err := plan.Write(backups); err != nil {
			return err
		}
		fmt.Fprintf(say, "%s: written to %s; bartizan connect %s --undo takes it back\n", client.Title, printable(plan.Path), client.Name)
	} else {
		fmt.Fprintf(say, "%s: %s is as it should be\n", client.Title, printable(plan.Path))
	}
	switch {
	case bridged:
		return keepToken(say, tokenFile, key, c.token != "")
	case c.token != "" && plan.Readable():
		fmt.Fprintf(say, "warning: the key stands in %s, which others can read\n", printable(plan.Path))
	case c.token == "" && client.Name == "vscode":
		fmt.Fprintln(say, "VS Code asks for the key when it first starts the server")
	case c.token == "":
		fmt.Fprintf(say, "start %s with the key in its environment: BARTIZAN_TOKEN\n", client.Title)
	}
	return nil
}

// command starts the bridge. In a project's file it holds no path of this
// machine: the bridge looks for the key where it is kept anyway.
func (c *connection) command(tokenFile string) ([]string, error) {
	if c.project != "" {
		return append([]string{"bartizan", "bridge"}, c.args()...), nil
	}
	self, err := os.Executable()
	return append(append([]string{self, "bridge"}, c.args()...), "--token-file", tokenFile), err
}

// printableDiff keeps tabs, which configuration files are indented with.
func printableDiff(s string) string {
	fields := strings.Split(s, "\t")
	for i := range fields {
		fields[i] = printable(fields[i])
	}
	return strings.Join(fields, "\t")
}

func (c *connection) takeBack(cmd *cobra.Command, client *clients.Client, file string, backups clients.Backups) error {
	path, whole, err := client.Undo(file, backups)
	if err != nil {
		return err
	}
	if whole {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s: %s is what it was\n", client.Title, printable(path))
	} else {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s: %s was changed since; only the entry was put back\n", client.Title, printable(path))
	}
	return nil
}

// found is one client of `connect --list`.
type found struct {
	Client string `json:"client"`
	File   string `json:"file"`
	State  string `json:"state"` // absent, found, connected, unreadable
}

func (c *connection) showAll(cmd *cobra.Command, places clients.Places) error {
	if err := checkFormat(*c.format, "table", "json"); err != nil {
		return err
	}
	all := []found{}
	for _, client := range clients.All() {
		file, err := c.fileOf(client, places)
		if errors.Is(err, clients.ErrNoProject) {
			continue
		}
		state := "absent"
		exists, connected, err := client.Connected(file, c.entryName())
		switch {
		case err != nil:
			state = "unreadable"
		case connected:
			state = "connected"
		case exists:
			state = "found"
		}
		all = append(all, found{client.Name, file, state})
	}
	if *c.format == "json" {
		return printJSON(cmd.OutOrStdout(), all)
	}
	var rows [][]string
	for _, f := range all {
		rows = append(rows, []string{f.Client, f.State, f.File})
	}
	return table(cmd.OutOrStdout(), []string{"CLIENT", "STATE", "FILE"}, rows)
}
