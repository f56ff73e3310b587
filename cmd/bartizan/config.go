package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bartizan-mcp/bartizan/cmd/internal/config"
)

func newConfig() *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "Check or show the configuration", Args: cobra.NoArgs}
	var file string
	check := &cobra.Command{
		Use:     "check",
		Short:   "Report every problem of a configuration",
		Example: "  bartizan config check --config bartizan.yaml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, _, err := config.Load(config.Sources{File: file, Env: os.LookupEnv})
			if err != nil {
				return err
			}
			return c.Validate()
		},
	}
	show := &cobra.Command{
		Use:   "show",
		Short: "Show every setting and where its value came from",
		Args:  cobra.NoArgs,
	}
	format := outputFlag(show, "table", "json")
	show.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := checkFormat(*format, "table", "json"); err != nil {
			return err
		}
		_, settings, err := config.Load(config.Sources{File: file, Env: os.LookupEnv})
		if err != nil {
			return err
		}
		if *format == "json" {
			return printJSON(cmd.OutOrStdout(), settings)
		}
		rows := make([][]string, 0, len(settings))
		for _, s := range settings {
			rows = append(rows, []string{s.Key, s.Value, string(s.Origin)})
		}
		return table(cmd.OutOrStdout(), []string{"SETTING", "VALUE", "FROM"}, rows)
	}
	cmd.PersistentFlags().StringVar(&file, "config", os.Getenv("BARTIZAN_CONFIG"), "YAML configuration file")
	cmd.AddCommand(check, show)
	return cmd
}

// settingFlags maps a command's flags to settings, so that only flags that
// were given override the environment and the file.
func settingFlags(cmd *cobra.Command, names map[string]string) map[string]string {
	given := map[string]string{}
	for flag, key := range names {
		if f := cmd.Flags().Lookup(flag); f != nil && f.Changed {
			given[key] = f.Value.String()
		}
	}
	return given
}

// joinLines indents a multi-line problem under its title.
func joinLines(title string, err error) error {
	return fmt.Errorf("%s:\n  %s", title, strings.ReplaceAll(err.Error(), "\n", "\n  "))
}
